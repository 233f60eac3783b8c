import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { claimsOf, encode, NOW, SigningKey } from './minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

describe(`verify, token by token (seed ${seed})`, () => {
  let node: NodeUnderTest;
  beforeEach(async () => {
    fakeTimers();
    node = await NodeUnderTest.ready();
  });
  afterEach(async () => {
    await node.curfew.close();
    realTimers();
  });

  it('accepts a good token, by its signature first and from memory then', async () => {
    const token = node.key.token();
    for (let i = 0; i < 3; i += 1) {
      const session = await node.curfew.verify(token);
      expect({ ...session }).toEqual({
        sid: 'sid-1',
        sub: 'user-1',
        tenant: 'acme',
        clientId: 'web',
        gen: 3,
        expiresAt: NOW + 290,
      });
      expect(session.claims).toEqual(claimsOf({}));
    }
    expect(node.curfew.stats()).toMatchObject({ hits: 2, misses: 1, cached: 1, refused: 0 });
  });

  it('shows no token in a session that is logged or serialised', async () => {
    const token = node.key.token();
    const session = await node.curfew.verify(token);
    expect(JSON.stringify(session)).not.toContain(token.slice(-40));
    expect(Object.values(session)).not.toContain(token);
  });

  const other = new SigningKey('k1');
  const own = (): SigningKey => node.key;
  const resigned = (change: (signature: Buffer) => Buffer): string => {
    const [header = '', payload = '', signature = ''] = own().token().split('.');
    return [header, payload, change(Buffer.from(signature, 'base64url')).toString('base64url')].join('.');
  };

  it.each<[string, () => unknown]>([
    ['an empty text', () => ''],
    ['two parts', () => own().token().split('.').slice(0, 2).join('.')],
    ['four parts', () => `${own().token()}.AAAA`],
    ['no text', () => undefined],
    ['a number', () => 7],
    ['a signature of another key with the same id', () => other.token()],
    ['a signature that is a byte short', () => resigned((bytes) => bytes.subarray(0, 63))],
    ['a signature that is a byte long', () => resigned((bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))],
    [
      'a signature whose two numbers are a byte long each',
      () =>
        resigned((bytes) =>
          Buffer.concat([Buffer.alloc(1), bytes.subarray(0, 32), Buffer.alloc(1), bytes.subarray(32)]),
        ),
    ],
    ['another key brought along in the header', () => other.token({}, { jwk: other.jwk() })],
    ['another typ', () => own().token({}, { typ: 'JWT' })],
    ['no typ', () => own().token({}, { typ: undefined })],
    ['crit', () => own().token({}, { crit: ['b64'], b64: true })],
    ['an empty crit', () => own().token({}, { crit: [] })],
    ['no kid', () => own().token({}, { kid: undefined })],
    ['a kid that is a number', () => own().token({}, { kid: 1 })],
    ['alg none', () => `${encode({ alg: 'none', typ: 'at+jwt', kid: 'k1' })}.${encode(claimsOf({}))}.`],
    ['alg none with the signature kept', () => own().token({}, { alg: 'none' })],
    ['alg ES384', () => own().token({}, { alg: 'ES384' })],
    ['no alg', () => own().token({}, { alg: undefined })],
    [
      'HS256 with the public PEM as its secret',
      () => own().confused(own().publicKey.export({ type: 'spki', format: 'pem' }) as string),
    ],
    [
      'HS256 with the trimmed PEM',
      () => own().confused((own().publicKey.export({ type: 'spki', format: 'pem' }) as string).trim()),
    ],
    ['HS256 with the JWK', () => own().confused(JSON.stringify(own().jwk()))],
    ['another issuer', () => own().token({ iss: 'https://auth.example/' })],
    ['another audience', () => own().token({ aud: 'apis' })],
    ['a list of audiences', () => own().token({ aud: ['api', 'other'] })],
    ['another tenant', () => own().token({ tenant: 'acme2' })],
    ['no tenant', () => own().token({ tenant: undefined })],
    ['no sid', () => own().token({ sid: undefined })],
    ['an empty sub', () => own().token({ sub: '' })],
    ['a sub that is a number', () => own().token({ sub: 1 })],
    ['no jti', () => own().token({ jti: undefined })],
    ['no client', () => own().token({ client_id: undefined })],
    ['no gen', () => own().token({ gen: undefined })],
    ['a gen below 0', () => own().token({ gen: -1 })],
    ['a bound token', () => own().token({ cnf: { jkt: 'x' } })],
    ['a token that has expired', () => own().token({ iat: NOW - 300, exp: NOW })],
    ['an exp in milliseconds', () => own().token({ exp: NOW * 1000 })],
    ['an exp that is text', () => own().token({ exp: String(NOW + 100) })],
    ['no exp', () => own().token({ exp: undefined })],
    ['no iat', () => own().token({ iat: undefined })],
    ['an exp with a fraction', () => own().token({ exp: NOW + 0.5 })],
    ['a token of the future', () => own().token({ iat: NOW + 61, exp: NOW + 100 })],
    ['iat after exp', () => own().token({ iat: NOW + 50, exp: NOW + 40 })],
    ['a token for longer than maxAccessTtl', () => own().token({ iat: NOW, exp: NOW + 901 })],
    ['a payload that is a list', () => own().signed({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' }, [1])],
    ['a payload that is no JSON', () => own().signed({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' }, '{')],
    ['a header that is null', () => own().signed('null', claimsOf({}))],
    ['more than 8 kB', () => own().token({ claims: { x: 'x'.repeat(8200) } })],
  ])('refuses %s, and says no reason', async (_, token) => {
    const error = await node.curfew.verify(token() as string).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'ERR_TOKEN_REFUSED',
      status: 401,
      message: 'The token is refused',
      detail: undefined,
    });
    expect(node.curfew.stats()).toMatchObject({ cached: 0, refused: 1 });
  });

  it('accepts a token that lives exactly maxAccessTtl, and one whose issuer is a little ahead', async () => {
    expect(await node.verdict(node.key.token({ iat: NOW, exp: NOW + 900 }))).toBe('accepted');
    expect(await node.verdict(node.key.token({ iat: NOW + 60, exp: NOW + 100 }))).toBe('accepted');
  });

  it('accepts every tenant only if it was told so', async () => {
    const any = await NodeUnderTest.ready({ tenant: '*' });
    expect(await any.verdict(any.key.token({ tenant: 'other' }))).toBe('accepted');
    expect(await any.verdict(any.key.token({ tenant: undefined }))).toBe('ERR_TOKEN_REFUSED');
    expect(await any.verdict(any.key.token({ tenant: 5 }))).toBe('ERR_TOKEN_REFUSED');
    await any.curfew.close();
  });

  it('lets a token end by reference time, also from memory, and not by the wall clock', async () => {
    const token = node.key.token({ exp: NOW + 2 });
    node.clocks.stepWall(-86_400_000);
    expect(await node.verdict(token)).toBe('accepted');
    await node.pass(1_900);
    expect(await node.verdict(token)).toBe('accepted');
    await node.pass(200);
    expect(await node.verdict(token)).toBe('ERR_TOKEN_REFUSED');
  });

  it('takes maxAccessTtl from the service', async () => {
    node.watch.fields.maxAccessTtlMs = 100_000;
    await node.pass(1_000);
    expect(await node.verdict(node.key.token({ iat: NOW, exp: NOW + 100 }))).toBe('accepted');
    expect(await node.verdict(node.key.token({ iat: NOW, exp: NOW + 101 }))).toBe('ERR_TOKEN_REFUSED');
  });

  it('G2: no altered or unsigned copy of a cached token hits the cache', async () => {
    const token = node.key.token();
    const [header, payload, signature] = token.split('.') as [string, string, string];
    await node.curfew.verify(token);
    const alphabet =
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= \u0000\u00e9\ud800';
    const spot = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...alphabet.split('')));
    const sameIds = fc
      .record({ sub: fc.constant('admin'), roles: fc.array(fc.string()), exp: fc.integer() })
      .map((changes) => `${header}.${encode(claimsOf(changes))}.${signature}`);
    const forged = fc.oneof(
      spot.map(([at, letter]) => token.slice(0, at) + letter + token.slice(at + 1)),
      fc
        .tuple(spot, fc.nat(2))
        .map(([[at, letter], cut]) => token.slice(0, at) + letter + token.slice(at + cut)),
      sameIds,
      fc.constantFrom(
        `${header}.${payload}.`,
        `${header}.${payload}`,
        `${token}=`,
        ` ${token}`,
        `${token} `,
        `${encode({ alg: 'none' })}.${payload}.${signature}`,
        `${header}.${payload}.${encode('x')}`,
      ),
    );
    await fc.assert(
      fc.asyncProperty(forged, async (copy) => {
        fc.pre(copy !== token);
        expect(await node.verdict(copy)).toBe('ERR_TOKEN_REFUSED');
      }),
      { numRuns: 600, seed },
    );
    expect(node.curfew.stats()).toMatchObject({ cached: 1, hits: 0 });
    expect(await node.verdict(token)).toBe('accepted');
  });
});
