import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NOW, SigningKey } from './minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';
import { json } from './rest-door.double.js';
import {
  asRevocationSource,
  type OpenRevocationSource,
  type SourceSurroundings,
} from './revocation-source.js';

describe('verify and revocations', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('G1 G2: a revoked session is refused at once: from memory, by signature, and with a younger token', async () => {
    const node = await NodeUnderTest.ready();
    const [first, second, younger] = [1, 2, 3].map((gen) => node.key.token({ gen, jti: `j${gen}` })) as [
      string,
      string,
      string,
    ];
    const bystander = node.key.token({ sid: 'sid-2' });
    for (const token of [first, second, bystander]) expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revoke('sid-1');
    expect(node.curfew.stats()).toMatchObject({ cached: 1, denied: 1 });
    for (const token of [first, second, younger]) expect(await node.verdict(token)).toBe('ERR_TOKEN_REFUSED');
    expect(await node.verdict(bystander)).toBe('accepted');
  });

  it('G1: nothing revives it: duplicates, renewals and reconnects', async () => {
    const node = await NodeUnderTest.ready();
    const token = node.key.token({ exp: NOW + 890 });
    node.watch.last.revoke('sid-1');
    node.watch.last.revoke('sid-1');
    await node.pass(2_000);
    node.watch.last.end('gone');
    await node.pass(200_000);
    expect(node.watch.streams.length).toBeGreaterThan(1);
    expect(await node.verdict(token)).toBe('ERR_TOKEN_REFUSED');
  });

  it('G1: it is remembered until no token of it can live', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.last.revoke('sid-1');
    await node.pass(1_000);
    node.watch.fields.referenceTimeMs += 900_000 + 58_000;
    await node.pass(1_000);
    expect(node.curfew.stats().denied).toBe(1);
    await node.pass(2_000);
    expect(node.curfew.stats().denied).toBe(0);
  });

  it('G2: an old answer of one source does not let go of what another one has brought since', async () => {
    let source!: SourceSurroundings;
    const open: OpenRevocationSource = (_, surroundings) => {
      source = surroundings;
      return { connect: () => undefined, close: () => undefined };
    };
    const node = new NodeUnderTest({ revocations: asRevocationSource(open) });
    const renew = (referenceTimeMs: number, reading = source.lease.reading()): void =>
      source.onRenewed({
        via: 'kafka',
        reading,
        ageMs: 0,
        cursor: '',
        referenceTimeMs,
        maxAccessTtlMs: 900_000,
      });
    const start = NOW * 1000;
    renew(start);
    await node.curfew.ready();
    // The process is stopped for ten minutes. Then one source goes on at once, and the other finds an answer from before.
    const early = source.lease.reading();
    node.clocks.advance(600_000);
    source.onRevocation({
      scope: 'session',
      tenant: 'acme',
      sub: 'user-1',
      sid: 'sid-1',
      clientId: '',
      epoch: 0,
      excepted: new Map(),
    });
    renew(start, early);
    renew(start + 600_000);
    node.clocks.advance(400_000);
    renew(start + 1_000_000);
    expect(await node.verdict(node.key.token({ iat: NOW + 590, exp: NOW + 1_490 }))).toBe(
      'ERR_TOKEN_REFUSED',
    );
  });

  it('G2: a session that shares its id with one of another tenant lives on', async () => {
    const node = await NodeUnderTest.ready({ tenant: '*' });
    const [a, b] = ['a', 'b'].map((tenant) => node.key.token({ tenant })) as [string, string];
    for (const token of [a, b]) expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revoke('sid-1', { tenant: 'a' });
    expect([await node.verdict(a), await node.verdict(b)]).toEqual(['ERR_TOKEN_REFUSED', 'accepted']);
  });

  it('does not remember revocations of tenants that it refuses anyway', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.last.revoke('sid-1', { tenant: 'other' });
    expect(node.curfew.stats().denied).toBe(0);
    expect(await node.verdict(node.key.token())).toBe('accepted');
  });

  it('G2: a revocation while the keys are fetched counts', async () => {
    const node = await NodeUnderTest.ready();
    await node.pass(6_000);
    const younger = new SigningKey('k2');
    let answer: (response: Response) => void = () => undefined;
    node.rest.jwks = () => new Promise((resolve) => (answer = resolve));
    const verdicts = Promise.all([
      node.verdict(younger.token({ iat: NOW })),
      node.verdict(younger.token({ iat: NOW, sid: 'sid-2' })),
    ]);
    await node.pass(10);
    node.watch.last.revoke('sid-1');
    answer(json({ keys: [node.key.jwk(), younger.jwk()] }));
    expect(await verdicts).toEqual(['ERR_TOKEN_REFUSED', 'accepted']);
  });

  it('G2: a lease that ends while the keys are fetched counts', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    await node.pass(6_000);
    const younger = new SigningKey('k2');
    let answer: (response: Response) => void = () => undefined;
    node.rest.jwks = () => new Promise((resolve) => (answer = resolve));
    const verdict = node.verdict(younger.token({ iat: NOW }));
    node.clocks.stepWall(2_001);
    answer(json({ keys: [younger.jwk()] }));
    expect(await verdict).toBe('ERR_STALE');
  });

  it('G2: a full deny-list distrusts memory, alarms, and recovers when nothing is missing any more', async () => {
    const node = await NodeUnderTest.ready({ maxRevocations: 2 });
    node.introspectsAs();
    const token = node.key.token();
    expect(await node.verdict(token)).toBe('accepted');
    for (const sid of ['a', 'b', 'c']) node.watch.last.revoke(sid);
    expect(node.curfew.lease()).toEqual({ fresh: false, remainingMs: 0 });
    expect(await node.verdict(token)).toBe('accepted');
    expect(node.rest.callsTo('/v1/introspect')).toHaveLength(1);
    // The one that was not kept.
    node.rest.introspect = () => json({ active: false }, { headers: { 'curfew-barrier-age': '0' } });
    expect(await node.verdict(node.key.token({ sid: 'c' }))).toBe('ERR_TOKEN_REFUSED');
    await node.pass(1_000);
    node.watch.fields.referenceTimeMs += 960_000;
    await node.pass(1_000);
    expect(node.curfew.lease().fresh).toBe(true);
    expect(node.kinds()).toEqual(['fresh', 'stale', 'deny-list-full', 'deny-list-recovered', 'fresh']);
  });

  it('G2: a kind of revocation that this version does not know ends the trust in memory', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' });
    const token = node.key.token();
    expect(await node.verdict(token)).toBe('accepted');
    node.watch.last.revoke('', { scope: 'device' });
    expect(await node.verdict(token)).toBe('ERR_STALE');
    await node.pass(1);
    expect(node.kinds()).toContain('unknown-scope');
  });
});
