import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** The reference time of the specs, seconds: far from any wall clock. */
export const NOW = 2_000_000_000;
export const ISSUER = 'https://auth.example';
export const AUDIENCE = 'api';

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export class SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;

  constructor(readonly kid: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  jwk(): Record<string, unknown> {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: this.kid, alg: 'ES256', use: 'sig' };
  }

  /** ES256 over header and payload as they are. */
  signed(header: unknown, payload: unknown): string {
    const input = `${encode(header)}.${encode(payload)}`;
    const signature = sign('sha256', Buffer.from(input), { key: this.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }

  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
    return this.signed({ alg: 'ES256', typ: 'at+jwt', kid: this.kid, ...header }, claimsOf(claims));
  }

  /** HS256 with the public key's text as the secret: the classic confusion. */
  confused(secret: string): string {
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: this.kid })}.${encode(claimsOf({}))}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }
}

/** Complete and good claims; `undefined` takes one out. */
export function claimsOf(claims: Record<string, unknown>): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user-1',
    client_id: 'web',
    sid: 'sid-1',
    jti: 'jti-1',
    iat: NOW - 10,
    exp: NOW + 290,
    auth_time: NOW - 10,
    tenant: 'acme',
    roles: ['reader'],
    gen: 3,
    ...claims,
  };
}
