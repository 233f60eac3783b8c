import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { delivered, history } from './mass-revocation-history.double.js';
import { NOW, SigningKey } from './minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';
import { json } from './rest-door.double.js';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const rounds = Number(process.env['ROUNDS'] ?? 40);
const REFUSED = 'ERR_TOKEN_REFUSED';

describe('verify and mass revocations', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it.each([
    ['user', [0, 1, 1, 1], { sub: 'user-2' }],
    ['client', [1, 0, 1, 1], { client_id: 'app' }],
    ['tenant', [1, 1, 0, 1], { tenant: 'other' }],
    ['global', [1, 1, 1, 0], { ep: [0, 0, 0, 1] }],
  ])(
    'G2: all of the %s are refused at once, cached or not, and nobody else',
    async (scope, ep, elsewhere) => {
      const node = await NodeUnderTest.ready({ tenant: '*' });
      const cached = node.key.token({ ep });
      const uncached = node.key.token({ ep, sid: 'sid-2' });
      const old = node.key.token({ sid: 'sid-3' });
      const younger = node.key.token({ ep: [1, 1, 1, 1], sid: 'sid-4' });
      const bystander = node.key.token({ sid: 'sid-5', ...elsewhere });
      for (const token of [cached, old, younger, bystander])
        expect(await node.verdict(token)).toBe('accepted');
      node.watch.last.revokeAll(scope, 1);
      for (const token of [cached, uncached, old, cached]) expect(await node.verdict(token)).toBe(REFUSED);
      for (const token of [younger, bystander]) expect(await node.verdict(token)).toBe('accepted');
    },
  );

  it('G5: costs nothing for each cached session when it comes; each is dropped when it is used next', async () => {
    const node = await NodeUnderTest.ready();
    const tokens = Array.from({ length: 50 }, (_, i) => node.key.token({ sid: `sid-${i}` }));
    for (const token of tokens) await node.verdict(token);
    node.watch.last.revokeAll('user', 1, { excepted: { 'sid-0': 0 } });
    expect(node.curfew.stats()).toMatchObject({ cached: 50, denied: 1 });
    const { misses } = node.curfew.stats();
    expect(await node.verdict(tokens[0]!)).toBe('accepted');
    for (const [i, token] of tokens.slice(1).entries()) {
      expect(await node.verdict(token)).toBe(REFUSED);
      expect(node.curfew.stats().cached).toBe(49 - i);
    }
    expect(node.curfew.stats()).toMatchObject({ cached: 1, refused: 49, misses });
  });

  it('G1: an exception spares a session, and revives none', async () => {
    const node = await NodeUnderTest.ready();
    const [spared, ended] = [node.key.token(), node.key.token({ sid: 'sid-2' })];
    for (const token of [spared, ended]) expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revokeAll('user', 1, { excepted: { 'sid-1': 0 } });
    expect([await node.verdict(spared), await node.verdict(ended)]).toEqual(['accepted', REFUSED]);
    node.watch.last.revokeAll('user', 2, { excepted: { 'sid-1': 0, 'sid-2': 1 } });
    expect([await node.verdict(spared), await node.verdict(ended)]).toEqual(['accepted', REFUSED]);
    node.watch.last.revokeAll('user', 3);
    expect([await node.verdict(spared), await node.verdict(ended)]).toEqual([REFUSED, REFUSED]);
  });

  it('G1 G2: duplicates, older ones, renewals and the replay to a new stream change nothing', async () => {
    const node = await NodeUnderTest.ready();
    const [spared, ended] = [
      node.key.token({ exp: NOW + 890, ep: [1, 0, 0, 0] }),
      node.key.token({ exp: NOW + 890, sid: 'sid-2' }),
    ];
    const replay = (): void => {
      node.watch.last.revokeAll('user', 2, { excepted: { 'sid-1': 1 } });
      node.watch.last.revokeAll('user', 1, { excepted: { 'sid-2': 0 } });
    };
    for (const token of [spared, ended]) expect(await node.verdict(token)).toBe('accepted');
    for (let round = 0; round < 3; round += 1) {
      replay();
      expect([await node.verdict(spared), await node.verdict(ended)]).toEqual(['accepted', REFUSED]);
      node.watch.last.end('gone');
      await node.pass(2_000);
      expect([await node.verdict(spared), await node.verdict(ended)]).toEqual(['accepted', REFUSED]);
    }
    expect(node.watch.streams.length).toBeGreaterThan(3);
    expect(node.curfew.stats().denied).toBe(1);
  });

  it('G2: one that arrives while the keys are fetched counts', async () => {
    const node = await NodeUnderTest.ready();
    await node.pass(6_000);
    const younger = new SigningKey('k2');
    let answer: (response: Response) => void = () => undefined;
    node.rest.jwks = () => new Promise((resolve) => (answer = resolve));
    const verdicts = Promise.all([
      node.verdict(younger.token({ iat: NOW })),
      node.verdict(younger.token({ iat: NOW, ep: [0, 0, 1, 0] })),
    ]);
    await node.pass(10);
    node.watch.last.revokeAll('tenant', 1);
    answer(json({ keys: [node.key.jwk(), younger.jwk()] }));
    expect(await verdicts).toEqual([REFUSED, 'accepted']);
    expect(node.curfew.stats().cached).toBe(1);
  });

  it('G2: one that arrives while the service is asked counts, also for an answer that is used again', async () => {
    const node = await NodeUnderTest.ready();
    const [known, asked, younger] = [{}, { sid: 'sid-2' }, { sid: 'sid-3', ep: [0, 1, 0, 0] }].map((claims) =>
      node.key.token(claims),
    ) as [string, string, string];
    await node.goStale();
    node.introspectsAs();
    expect(await node.verdict(known)).toBe('accepted');
    const answers: (() => void)[] = [];
    node.rest.introspect = (token) =>
      new Promise((resolve) => {
        const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object;
        const headers = { 'curfew-barrier-age': '0' };
        answers.push(() => resolve(json({ active: true, ...claims }, { headers })));
      });
    const verdicts = Promise.all([node.verdict(asked), node.verdict(younger)]);
    await node.pass(10);
    node.watch.last.revokeAll('client', 1);
    for (const answer of answers) answer();
    expect(await verdicts).toEqual([REFUSED, 'accepted']);
    expect(await node.verdict(known)).toBe(REFUSED);
    expect(node.rest.callsTo('/v1/introspect')).toHaveLength(3);
  });

  it('G2: is remembered until no token of it can live', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.last.revokeAll('global', 1);
    await node.pass(1_000);
    node.watch.fields.referenceTimeMs += 900_000 + 58_000;
    await node.pass(1_000);
    expect(node.curfew.stats().denied).toBe(1);
    await node.pass(2_000);
    expect(node.curfew.stats().denied).toBe(0);
  });

  it('G2: without room for it memory is not trusted, and the operators are told', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject', maxRevocations: 2 });
    const token = node.key.token({ ep: [9, 9, 9, 0] });
    node.watch.last.revoke('x');
    node.watch.last.revokeAll('user', 1);
    node.watch.last.revokeAll('user', 2);
    expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revokeAll('global', 1);
    expect(node.curfew.stats().denied).toBe(2);
    expect(await node.verdict(token)).toBe('ERR_STALE');
    await node.pass(1_000);
    expect(node.kinds()).toContain('deny-list-full');
  });

  it('of a tenant that is refused anyway is not remembered', async () => {
    const node = await NodeUnderTest.ready();
    for (const scope of ['user', 'client', 'tenant'])
      node.watch.last.revokeAll(scope, 1, { tenant: 'other' });
    expect(node.curfew.stats().denied).toBe(0);
    node.watch.last.revokeAll('global', 1);
    expect(await node.verdict(node.key.token())).toBe(REFUSED);
  });

  it('G2: of a scope that this version does not know ends the trust in memory', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    const token = node.key.token();
    expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revokeAll('key', 1);
    expect(await node.verdict(token)).toBe('ERR_STALE');
    await node.pass(1);
    expect(node.kinds()).toContain('unknown-scope');
  });

  it.each([
    [[0, 0, 0]],
    [[0, 0, 0, 0, 0]],
    [[0, 0, 0, -1]],
    [[0, 0, 0, 0.5]],
    [[0, 0, 0, '1']],
    [[0, 0, 0, null]],
    [[0, 0, 0, 2 ** 32]],
    ['0000'],
    [null],
    [{ length: 4 }],
  ])('refuses a token with the epochs %j', async (ep) => {
    const node = await NodeUnderTest.ready();
    expect(await node.verdict(node.key.token({ ep }))).toBe(REFUSED);
    await node.goStale();
    node.introspectsAs({ ep });
    expect(await node.verdict(node.key.token())).toBe(REFUSED);
  });

  it(`G1 G2: accepts in the end what every mass revocation since has excepted (seed ${seed}, ${rounds} rounds)`, async () => {
    await fc.assert(
      fc.asyncProperty(
        history.chain((made) => fc.tuple(fc.constant(made), delivered(made))),
        fc.infiniteStream(fc.nat(1000)),
        async ([{ tokens }, messages], chance) => {
          const node = await NodeUnderTest.ready({ tenant: '*' });
          const minted = tokens.map(({ sid, sub, tenant, clientId, ep }) =>
            node.key.token({ sid, sub, tenant, client_id: clientId, ep }),
          );
          const some = (): string => minted[(chance.next().value as number) % minted.length]!;
          // Cached at any time in between, or not before the end.
          for (const { scope, clientId, excepted, ...rest } of messages) {
            await node.verdict(some());
            node.watch.last.revokeAll(scope, rest.epoch, {
              ...rest,
              client: clientId,
              excepted: Object.fromEntries(excepted),
            });
          }
          const verdicts = await Promise.all(minted.map(async (token) => node.verdict(token)));
          expect(verdicts).toEqual(tokens.map(({ lives }) => (lives ? 'accepted' : REFUSED)));
          await node.curfew.close();
        },
      ),
      { seed, numRuns: rounds },
    );
  }, 60_000);
});
