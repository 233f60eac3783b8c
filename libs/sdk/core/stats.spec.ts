import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';

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

  it('is asked less at each failure, after a pause, and more again at each answer', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    const waiting: (() => void)[] = [];
    node.rest.introspect = () =>
      new Promise((resolve) => waiting.push(() => resolve(new Response('', { status: 503 }))));
    const tokens = Array.from({ length: 100 }, (_, i) => node.key.token({ sid: `sid-${i}` }));
    const askAll = async (): Promise<number> => {
      const before = node.curfew.stats().introspections;
      const verdicts = tokens.map((token) => node.verdict(token));
      const asked = node.curfew.stats().introspections - before;
      for (const answer of waiting.splice(0)) answer();
      await Promise.all(verdicts);
      return asked;
    };
    expect(await askAll()).toBe(64);
    expect(await askAll()).toBe(0);
    await node.pass(200);
    expect(await askAll()).toBe(1);
    await node.pass(200);
    node.introspectsAs();
    expect(await askAll()).toBe(1);
    expect(await askAll()).toBe(2);
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
