import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import type { AccessTokenClaims } from '#contracts';

const SIGNATURE_LENGTH = 64;
/** Far above the 3,500 bytes that are issued. */
const MAX_TOKEN_LENGTH = 16_384;
const DSA_ENCODING = 'ieee-p1363';

type PublicJwk = Readonly<Record<string, unknown>>;

/** One ES256 key (RFC 7518 §3.4). */
export class SigningKey {
  /** For the JWK Set. `kid` is the RFC 7638 thumbprint. */
  readonly jwk: PublicJwk;
  /** The encoded header: the same for every token of this key. */
  readonly header: string;
  private readonly publicKey: KeyObject;

  private constructor(private readonly privateKey: KeyObject) {
    this.publicKey = createPublicKey(privateKey);
    const { crv, kty, x, y } = this.publicKey.export({ format: 'jwk' });
    // RFC 7638 §3.2: these members, in this order, without spaces.
    const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    this.jwk = { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' };
    this.header = encode(JSON.stringify({ alg: 'ES256', kid, typ: 'at+jwt' }));
  }

  /** PKCS #8, DER. */
  static generate(): Buffer {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ format: 'der', type: 'pkcs8' });
  }

  static fromPkcs8(der: Buffer): SigningKey {
    return new SigningKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  }

  sign(input: string): string {
    const key = { key: this.privateKey, dsaEncoding: DSA_ENCODING } as const;
    return sign('sha256', Buffer.from(input), key).toString('base64url');
  }

  verifies(input: string, signature: Uint8Array): boolean {
    const key = { key: this.publicKey, dsaEncoding: DSA_ENCODING } as const;
    return verify('sha256', Buffer.from(input), key, signature);
  }
}

/** A compact JWS (RFC 7515 §7.1). Cost: one signature. */
export function signAccessToken(key: SigningKey, claims: AccessTokenClaims): string {
  const input = `${key.header}.${encode(JSON.stringify(claims))}`;
  return `${input}.${key.sign(input)}`;
}

/**
 * Checks a token of our own making (RFC 8725). Its header has to be, byte for byte, the one that we write for one of our
 * keys: so `alg`, `typ` and `kid` are ours, and there is no room for `crit`, `jku` or a second spelling. Never throws.
 * @param keyOf the key whose encoded header this is
 */
export function verifyAccessToken(
  token: string,
  keyOf: (header: string) => SigningKey | undefined,
): AccessTokenClaims | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const [header, payload, signature, ...rest] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    return undefined;
  }
  const key = keyOf(header);
  if (key === undefined) return undefined;
  const signatureBytes = decode(signature);
  if (signatureBytes?.length !== SIGNATURE_LENGTH) return undefined;
  const payloadBytes = decode(payload);
  if (payloadBytes === undefined || !key.verifies(`${header}.${payload}`, signatureBytes)) return undefined;
  return JSON.parse(payloadBytes.toString()) as AccessTokenClaims;
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');

/** Undefined unless it is the one canonical spelling: no padding, no stray bits, no other alphabet. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
