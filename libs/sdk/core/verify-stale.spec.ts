import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { claimsOf, NOW, SigningKey } from './minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';
import { json } from './rest-door.double.js';

const ageOf = (milliseconds: number): ResponseInit => ({
  headers: { 'curfew-barrier-age': String(milliseconds) },
});
const active = (claims: Record<string, unknown>, age = 0): Response =>
  json({ active: true, ...claimsOf(claims) }, ageOf(age));

describe('verify without a fresh lease', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('G2: refuses hits and misses alike after B without an answer', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    const [known, unknown] = [node.key.token(), node.key.token({ sid: 'sid-2' })];
    expect(await node.verdict(known)).toBe('accepted');
    node.watch.answers = false;
    await node.pass(node.curfew.lease().remainingMs - 1);
    expect(await node.verdict(known)).toBe('accepted');
    await node.pass(1);
    for (const token of [known, unknown]) {
      await expect(node.curfew.verify(token)).rejects.toMatchObject({
        code: 'ERR_STALE',
        status: 503,
        retryAfter: expect.any(Number),
      });
    }
    await node.pass(1);
    expect(node.kinds()).toContain('stale');
  });

  it('G2: a process that was suspended or stopped does not decide before it heard from the service again', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    const token = node.key.token();
    expect(await node.verdict(token)).toBe('accepted');
    // Suspended: only the wall clock went on. No timer has run yet.
    node.clocks.stepWall(60_000);
    expect(await node.verdict(token)).toBe('ERR_STALE');
    await node.pass(600);
    expect(await node.verdict(token)).toBe('accepted');
    // Stopped: only the monotonic clock is right.
    node.clocks.advanceMonotonic(60_000);
    expect(await node.verdict(token)).toBe('ERR_STALE');
  });

  it('G2: looks at the lease last: a process that is stopped in the middle of a signature check', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    const wall = jest.spyOn(node.clocks, 'wall');
    wall.mockImplementationOnce(() => {
      const before = 42;
      node.clocks.stepWall(60_000);
      return before;
    });
    expect(await node.verdict(node.key.token())).toBe('ERR_STALE');
    expect(wall.mock.calls.length).toBeGreaterThan(1);
  });

  it('G2: a late answer gives no lease', async () => {
    const node = NodeUnderTest.unanswered({ onStale: 'reject' });
    await node.pass(10);
    node.clocks.advance(2_000);
    node.watch.last.renewed(1);
    expect(await node.verdict(node.key.token())).toBe('ERR_STALE');
    expect(node.curfew.lease()).toEqual({ fresh: false, remainingMs: 0 });
  });

  it('asks the service before it was ever ready, whatever is missing', async () => {
    const node = NodeUnderTest.unanswered();
    node.introspectsAs();
    expect(await node.verdict(node.key.token())).toBe('accepted');
    const keyless = new NodeUnderTest({}, ({ rest }) => {
      rest.jwks = () => new Response('', { status: 500 });
    });
    keyless.introspectsAs();
    await keyless.pass(1_000);
    expect(await keyless.verdict(keyless.key.token())).toBe('accepted');
    expect(keyless.curfew.stats().introspections).toBe(1);
  });

  it('sends the token as a form, with the key, and builds the session from it', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    node.introspectsAs();
    const token = node.key.token();
    const session = await node.curfew.verify(token);
    expect(session).toMatchObject({ sid: 'sid-1', sub: 'user-1', clientId: 'web', gen: 3 });
    expect(session.claims).toEqual(claimsOf({}));
    const [call] = node.rest.callsTo('/v1/introspect');
    expect(call?.init.body).toEqual(new URLSearchParams({ token }));
    expect(call?.init).toMatchObject({
      method: 'POST',
      redirect: 'error',
      headers: { authorization: 'Bearer key-1' },
    });
  });

  it('G2: uses an answer until B after it was asked for, less its age, and then asks again', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    const token = node.key.token();
    let calls = 0;
    node.rest.introspect = () => {
      calls += 1;
      node.clocks.advance(300);
      return active({}, 200);
    };
    expect(await node.verdict(token)).toBe('accepted');
    node.clocks.advance(1_499);
    expect(await node.verdict(token)).toBe('accepted');
    expect(calls).toBe(1);
    node.clocks.advance(1);
    expect(await node.verdict(token)).toBe('accepted');
    expect(calls).toBe(2);
    node.clocks.stepWall(1_500);
    expect(await node.verdict(token)).toBe('accepted');
    expect(calls).toBe(3);
  });

  it('G2: an answer that is too old, or does not say how old, accepts nothing', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    for (const init of [ageOf(2_000), ageOf(4_294_967_295), {}, { headers: { 'curfew-barrier-age': 'x' } }]) {
      node.rest.introspect = () => json({ active: true, ...claimsOf({}) }, init);
      expect(await node.verdict(node.key.token())).toBe('ERR_STALE');
    }
    node.rest.introspect = () => {
      node.clocks.advance(2_000);
      return active({});
    };
    expect(await node.verdict(node.key.token())).toBe('ERR_STALE');
  });

  it('refuses what the service calls inactive, and remembers that too', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    const token = node.key.token();
    for (let i = 0; i < 5; i += 1) expect(await node.verdict(token)).toBe('ERR_TOKEN_REFUSED');
    expect(node.curfew.stats().introspections).toBe(1);
  });

  it.each([{ iss: 'other' }, { aud: 'other' }, { tenant: 'other' }, { sid: undefined }, { cnf: {} }])(
    'checks the answer like a token: %j is not for here',
    async (claims) => {
      const node = await NodeUnderTest.ready();
      await node.goStale();
      node.rest.introspect = () => active(claims);
      expect(await node.verdict(node.key.token())).toBe('ERR_TOKEN_REFUSED');
    },
  );

  it('does not ask about what can be no token of ours', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    node.introspectsAs();
    const token = node.key.token();
    const bad = [
      'x',
      `${token}x`,
      node.key.token({ aud: 'other' }),
      node.key.token({}, { typ: 'JWT' }),
      new SigningKey('k1').token(),
      'x'.repeat(9_000),
    ];
    for (const copy of bad) expect(await node.verdict(copy)).toBe('ERR_TOKEN_REFUSED');
    expect(node.rest.callsTo('/v1/introspect')).toHaveLength(0);
  });

  it('G2: a revocation or an expiry while it asks counts', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    node.rest.introspect = () => {
      node.watch.last.revoke('sid-1');
      return active({});
    };
    expect(await node.verdict(node.key.token())).toBe('ERR_TOKEN_REFUSED');
    node.rest.introspect = () => active({ sid: 'sid-2', exp: NOW - 1 });
    expect(await node.verdict(node.key.token({ sid: 'sid-2' }))).toBe('ERR_TOKEN_REFUSED');
  });

  it('G2: a revocation ends a reused answer', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    node.introspectsAs();
    const token = node.key.token();
    expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revoke('sid-1');
    expect(await node.verdict(token)).toBe('ERR_TOKEN_REFUSED');
  });

  it('asks once for a token at a time, and for 8 tokens at first', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    const answers: (() => void)[] = [];
    node.rest.introspect = () =>
      new Promise((resolve) => answers.push(() => resolve(active({ sid: 'any' }))));
    const tokens = Array.from({ length: 9 }, (_, i) => node.key.token({ sid: `s${i}` }));
    const verdicts = tokens.flatMap((token) => [node.verdict(token), node.verdict(token)]);
    expect(await Promise.all(verdicts.slice(-2))).toEqual(['ERR_STALE', 'ERR_STALE']);
    expect(answers).toHaveLength(8);
    for (const answer of answers) answer();
    expect(new Set(await Promise.all(verdicts.slice(0, -2)))).toEqual(new Set(['accepted']));
    const again = node.verdict(tokens[8] as string);
    answers[8]?.();
    expect(await again).toBe('accepted');
  });

  it('says 503 with the time to wait when the service does not answer, answers wrongly, or refuses the key', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    const answers = [
      () => Promise.reject(new TypeError('fetch failed')),
      () => new Response('<html>', { status: 200 }),
      () => json({ ok: true }, ageOf(0)),
      () => json({ code: 'ERR_UNAUTHENTICATED', title: 'no' }, { status: 401 }),
      () => json({ code: 'ERR_UNAVAILABLE' }, { status: 503 }),
    ];
    for (const answer of answers) {
      node.rest.introspect = answer;
      await expect(node.curfew.verify(node.key.token())).rejects.toMatchObject({
        code: 'ERR_STALE',
        status: 503,
        retryAfter: expect.any(Number),
      });
      await node.pass(3_200);
    }
    node.rest.introspect = () =>
      json({ code: 'ERR_UNAVAILABLE' }, { status: 503, headers: { 'retry-after': '7' } });
    await expect(node.curfew.verify(node.key.token())).rejects.toMatchObject({ retryAfter: 7 });
    await node.pass(1);
    expect(node.kinds().filter((kind) => kind === 'introspection-failed')).toHaveLength(6);
  });

  it('does not wait for longer than B', async () => {
    const node = await NodeUnderTest.ready({ stalenessBound: 300 });
    await node.goStale();
    node.rest.introspect = () => new Promise(() => undefined);
    const verdict = node.verdict(node.key.token());
    await node.pass(301);
    expect(await verdict).toBe('ERR_STALE');
  });

  it('decides from memory again as soon as the lease is back', async () => {
    const node = await NodeUnderTest.ready();
    const token = node.key.token();
    await node.goStale();
    node.watch.answers = true;
    await node.pass(3_000);
    expect(await node.verdict(token)).toBe('accepted');
    expect(node.curfew.stats().introspections).toBe(0);
  });
});
