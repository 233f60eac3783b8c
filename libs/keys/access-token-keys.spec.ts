import { createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AccessTokenClaims } from '#contracts';
import { SigningKey, signAccessToken, verifyAccessToken } from './access-token-keys.js';

const claims: AccessTokenClaims = {
  iss: 'https://curfew.example',
  aud: 'api',
  sub: 'user-1',
  client_id: 'default',
  sid: '0197a1b2c3d4e5f60718293a4b5c6d7e',
  jti: 'AAAAAAAAAAAAAAAAAAAAAA',
  iat: 1_700_000_000,
  exp: 1_700_000_300,
  auth_time: 1_700_000_000,
  tenant: 'default',
  roles: ['größe', '角色'],
  gen: 0,
};
const key = SigningKey.fromPkcs8(SigningKey.generate());
const check = (token: string) =>
  verifyAccessToken(token, (header) => (header === key.header ? key : undefined));
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = { alg: 'ES256', kid: key.jwk['kid'], typ: 'at+jwt' };
/** Signed with the right key, whatever the header says. */
const signedWith = (changed: unknown, payload: unknown = claims): string => {
  const input = `${part(changed)}.${part(payload)}`;
  return `${input}.${key.sign(input)}`;
};

describe('an access token', () => {
  it('is verified with its claims, also past its `exp`', () => {
    expect(check(signAccessToken(key, claims))).toEqual(claims);
  });

  it('has the RFC 9068 header and verifies with the published key alone', () => {
    const [head = '', payload = '', signature = ''] = signAccessToken(key, claims).split('.');
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual(header);
    const published = createPublicKey({ key: key.jwk as { kty: string }, format: 'jwk' });
    const checked = { key: published, dsaEncoding: 'ieee-p1363' as const };
    const bytes = Buffer.from(signature, 'base64url');
    expect(verify('sha256', Buffer.from(`${head}.${payload}`), checked, bytes)).toBe(true);
  });

  it('is refused when any character is changed, removed, added or doubled', () => {
    const token = signAccessToken(key, claims);
    const character = fc.constantFrom(...'ABCxyz019-_.=+/ \n\0é');
    const change = fc.constantFrom('replace', 'remove', 'insert', 'double');
    fc.assert(
      fc.property(fc.nat(token.length - 1), character, change, (at, other, how) => {
        const [before, here, after] = [token.slice(0, at), token[at] ?? '', token.slice(at + 1)];
        const middle = { replace: other, remove: '', insert: other + here, double: here + here }[how] ?? '';
        const altered = before + middle + after;
        fc.pre(altered !== token);
        expect(check(altered)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it('is refused under every other spelling of the same bits', () => {
    const token = signAccessToken(key, claims);
    const [head = '', payload = '', signature = ''] = token.split('.');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.at(-1) ?? '');
    // 64 bytes leave four spare bits in the last character; a lax decoder drops them.
    const respelled = signature.slice(0, -1) + (alphabet[last ^ 1] ?? '');
    expect(Buffer.from(respelled, 'base64url').equals(Buffer.from(signature, 'base64url'))).toBe(true);
    expect(check(`${head}.${payload}.${respelled}`)).toBeUndefined();
    for (const other of [`${token}=`, `${token}==`, ` ${token}`, `${token}\n`, `${token}.`, `.${token}`]) {
      expect(check(other)).toBeUndefined();
    }
  });

  it.each([
    ['alg none', { ...header, alg: 'none' }],
    ['alg ES256K', { ...header, alg: 'ES256K' }],
    ['alg in lower case', { ...header, alg: 'es256' }],
    ['no typ', { alg: 'ES256', kid: header.kid }],
    ['typ JWT', { ...header, typ: 'JWT' }],
    ['an unknown kid', { ...header, kid: 'x' }],
    ['no kid', { alg: 'ES256', typ: 'at+jwt' }],
    ['crit', { ...header, crit: ['exp'], exp: 1 }],
    ['jku', { ...header, jku: 'https://evil.example/jwks' }],
    ['x5u', { ...header, x5u: 'https://evil.example/cert' }],
    ['jwk', { ...header, jwk: key.jwk }],
    ['another order of members', { kid: header.kid, alg: 'ES256', typ: 'at+jwt' }],
    ['an array', [header]],
    ['null', null],
  ])('is refused with a header that has %s, even signed with the right key', (_, changed) => {
    expect(check(signedWith(changed))).toBeUndefined();
  });

  it('is refused unsigned, signed by another key, or with the public key as an HMAC secret', () => {
    const [head = '', payload = ''] = signAccessToken(key, claims).split('.');
    const input = `${head}.${payload}`;
    const stranger = SigningKey.fromPkcs8(SigningKey.generate());
    const hmac = createHmac('sha256', JSON.stringify(key.jwk)).update(input).digest();
    const signatures = [
      '',
      stranger.sign(input),
      hmac.toString('base64url'),
      Buffer.concat([hmac, hmac]).toString('base64url'),
      // Psychic signatures: r = s = 0 (CVE-2022-21449).
      Buffer.alloc(64).toString('base64url'),
    ];
    for (const signature of signatures) expect(check(`${input}.${signature}`)).toBeUndefined();
    expect(check(signAccessToken(stranger, claims))).toBeUndefined();
    expect(verifyAccessToken(`${input}.${stranger.sign(input)}`, () => key)).toBeUndefined();
  });

  it('garbage is refused and never throws', () => {
    const pieces = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.constant(key.header),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 5 }), (parts) => {
        expect(check(parts.join('.'))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
    expect(check('.'.repeat(1_000_000))).toBeUndefined();
  });
});

describe('a signing key', () => {
  it('has the RFC 7638 thumbprint as its kid and shows no private part', () => {
    expect(Object.keys(key.jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(key.jwk).toMatchObject({ alg: 'ES256', crv: 'P-256', kty: 'EC', use: 'sig' });
    expect(key.jwk['kid']).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
