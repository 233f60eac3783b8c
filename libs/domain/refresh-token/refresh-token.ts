import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The refresh token (DESIGN §5): `cfr_` and the unpadded base64url of
 *
 *     version u8 = 1 | macKeyId u16 | sid 16 bytes | gen u32 | secret 32 bytes | HMAC-SHA-256(macKey, all before) 32 bytes
 *
 * Integers are big-endian; a sid reads as 32 lower-case hexadecimal digits. `vectors.json` holds examples for other languages.
 */
export interface RefreshToken {
  readonly macKeyId: number;
  readonly sid: string;
  readonly gen: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

export const REFRESH_TOKEN_PREFIX = 'cfr_';
const VERSION = 1;
const SIGNED_LENGTH = 1 + 2 + 16 + 4 + 32;
const MAC_LENGTH = 32;
const TEXT_LENGTH = REFRESH_TOKEN_PREFIX.length + Math.ceil(((SIGNED_LENGTH + MAC_LENGTH) * 4) / 3);

const SID = /^[0-9a-f]{32}$/;

/** Whether the text can be a session id. */
export const isSid = (text: string): boolean => SID.test(text);

export function encodeRefreshToken(token: RefreshToken, macKey: Uint8Array): string {
  const signed = Buffer.alloc(SIGNED_LENGTH);
  signed.writeUInt8(VERSION, 0);
  signed.writeUInt16BE(token.macKeyId, 1);
  signed.write(token.sid, 3, 'hex');
  signed.writeUInt32BE(token.gen, 19);
  signed.set(token.secret, 23);
  const mac = createHmac('sha256', macKey).update(signed).digest();
  return REFRESH_TOKEN_PREFIX + Buffer.concat([signed, mac]).toString('base64url');
}

/**
 * Reads a token and checks that it is authentic.
 * @param macKeyOf the server's MAC keys by id.
 * @returns undefined when it is malformed, of another version, of an unknown key, or forged.
 */
export function readRefreshToken(
  text: string,
  macKeyOf: (id: number) => Uint8Array | undefined,
): RefreshToken | undefined {
  if (text.length !== TEXT_LENGTH || !text.startsWith(REFRESH_TOKEN_PREFIX)) return undefined;
  const encoded = text.slice(REFRESH_TOKEN_PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  // One token has one spelling: base64url decoders ignore stray bits and characters.
  if (bytes.length !== SIGNED_LENGTH + MAC_LENGTH || bytes.toString('base64url') !== encoded)
    return undefined;
  if (bytes.readUInt8(0) !== VERSION) return undefined;
  const macKeyId = bytes.readUInt16BE(1);
  const macKey = macKeyOf(macKeyId);
  if (!macKey) return undefined;
  const signed = bytes.subarray(0, SIGNED_LENGTH);
  const mac = createHmac('sha256', macKey).update(signed).digest();
  if (!timingSafeEqual(mac, bytes.subarray(SIGNED_LENGTH))) return undefined;
  return {
    macKeyId,
    sid: bytes.toString('hex', 3, 19),
    gen: bytes.readUInt32BE(19),
    secret: Uint8Array.from(bytes.subarray(23, SIGNED_LENGTH)),
  };
}

/** What the log keeps of a secret: SHA-256, base64url. The secret has 256 bits, so no salt or stretching is needed. */
export const hashSecret = (secret: Uint8Array): string =>
  createHash('sha256').update(secret).digest('base64url');

/**
 * `secret(n + 1) = HMAC-SHA-256(key = secret(n), salt(n) ‖ pepper)`: a retry gets the same bytes, while a stolen log (hashes
 * and salts, no secret) derives nothing.
 */
export const deriveSuccessor = (secret: Uint8Array, salt: Uint8Array, pepper: Uint8Array): Uint8Array =>
  createHmac('sha256', secret).update(salt).update(pepper).digest();

/** What the log keeps of an Idempotency-Key. */
export const hashIdempotencyKey = (key: string): string =>
  createHash('sha256').update(key, 'utf8').digest('base64url');
