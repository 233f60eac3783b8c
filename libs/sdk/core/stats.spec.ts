import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';
import { json } from './rest-door.double.js';

describe('stats', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('before the first lease: none of an age, from nowhere', () => {
    expect(NodeUnderTest.unanswered().curfew.stats()).toMatchObject({
      leaseAgeMs: Infinity,
      source: undefined,
      applied: undefined,
    });
  });

  it('how old the lease is, where it came from, and up to where the log is applied', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.fields.cursor = 'c9';
    await node.pass(550);
    await node.pass(30);
    expect(node.curfew.stats()).toMatchObject({ leaseAgeMs: 30, source: 'watch', applied: 'c9' });
    await node.goStale();
    await node.pass(1_000);
    expect(node.curfew.stats().leaseAgeMs).toBeGreaterThan(3_000);
  });

  it('tokens that revocations dropped: of a session at once, of a scope when they are presented', async () => {
    const node = await NodeUnderTest.ready();
    const [one, two, other] = [{}, { jti: 'j2' }, { sid: 'sid-2', sub: 'user-2' }].map((claims) =>
      node.key.token(claims),
    ) as [string, string, string];
    for (const token of [one, two, other]) await node.verdict(token);
    node.watch.last.revoke('sid-1');
    expect(node.curfew.stats()).toMatchObject({ dropped: 2, cached: 1 });
    node.watch.last.revokeAll('user', 1, { sub: 'user-2' });
    expect(node.curfew.stats()).toMatchObject({ dropped: 2, cached: 1 });
    expect(await node.verdict(other)).toBe('ERR_TOKEN_REFUSED');
    expect(node.curfew.stats()).toMatchObject({ dropped: 3, cached: 0 });
  });

  it('how stale verifications ended', async () => {
    const node = await NodeUnderTest.ready();
    const [alive, revoked] = [node.key.token(), node.key.token({ sid: 'sid-2' })];
    await node.goStale();
    node.introspectsAs();
    expect(await node.verdict(alive)).toBe('accepted');
    node.watch.last.revoke('sid-1');
    expect(await node.verdict(alive)).toBe('ERR_TOKEN_REFUSED');
    node.rest.introspect = () => new Response('', { status: 500 });
    expect(await node.verdict(revoked)).toBe('ERR_STALE');
    expect(node.curfew.stats()).toMatchObject({
      stale: 3,
      staleAccepted: 1,
      staleRefused: 1,
      staleUnavailable: 1,
    });
  });
});

describe('a service that cannot keep up', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  /** A node without a lease, and what happens to 100 tokens at once. */
  async function overwhelmed() {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    const waiting: ((response: Response) => void)[] = [];
    const tokens = Array.from({ length: 100 }, (_, i) => node.key.token({ sid: `sid-${i}` }));
    const calls = async (answer: () => Response, takes = 0): Promise<number> => {
      node.rest.introspect = () => new Promise((resolve) => waiting.push(resolve));
      const before = node.curfew.stats().introspections;
      const verdicts = tokens.map((token) => node.verdict(token));
      await node.pass(1);
      const asked = node.curfew.stats().introspections - before;
      node.clocks.advance(takes);
      for (const resolve of waiting.splice(0)) resolve(answer());
      await Promise.all(verdicts);
      return asked;
    };
    return { node, calls };
  }
  const failed = (): Response => new Response('', { status: 503 });
  const inactive = (): Response => json({ active: false }, { headers: { 'curfew-barrier-age': '1990' } });

  it('is asked less at each failure, after a pause that grows', async () => {
    const { node, calls } = await overwhelmed();
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.99);
    expect(await calls(failed)).toBe(8);
    expect(await calls(failed)).toBe(0);
    const asked: number[] = [];
    for (const longest of [200, 400, 800, 1_600, 3_200, 3_200]) {
      await node.pass(longest);
      asked.push(await calls(failed));
    }
    expect(asked).toEqual([4, 2, 1, 1, 1, 1]);
    random.mockRestore();
  });

  it('is asked less when it takes a quarter of B, and more again when it answers in time, up to 64', async () => {
    const { node, calls } = await overwhelmed();
    expect(await calls(inactive, 500)).toBe(8);
    await node.pass(200);
    expect(await calls(inactive, 100)).toBe(4);
    let most = 0;
    for (let i = 0; i < 80; i += 1) {
      await node.pass(1_000);
      most = Math.max(most, await calls(inactive, 100));
    }
    expect(most).toBe(64);
  });

  it('callers who are refused together are told to come back at different times', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    await node.goStale();
    const told = new Set<number>();
    for (let i = 0; i < 100; i += 1) {
      await node.curfew
        .verify(node.key.token())
        .catch((error: { retryAfter: number }) => told.add(error.retryAfter));
    }
    expect([...told].sort()).toEqual([1, 2, 3]);
  });
});
