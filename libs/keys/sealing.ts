import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

/** Of a box: version 1 | nonce 12 bytes | ciphertext | tag 16 bytes. AES-256-GCM (NIST SP 800-38D). */
const VERSION = 1;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const HEAD_LENGTH = 1 + NONCE_LENGTH;

/**
 * What a box is and whom it belongs to, outermost first: `['user-key', tenant, sub]`. A box opens only under the same label,
 * so none can be put in another's place.
 */
export type SealLabel = readonly string[];

/** Encrypts and authenticates under a fresh random nonce: good for 2^32 boxes a key. Cost: about 5 µs. */
export function seal(key: KeyObject, label: SealLabel, plaintext: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(associatedData(label));
  return Buffer.concat([
    Buffer.of(VERSION),
    nonce,
    cipher.update(plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** The plaintext; undefined for a wrong key or label, and for anything that is not a whole, unaltered box. */
export function unseal(key: KeyObject, label: SealLabel, box: Uint8Array): Buffer | undefined {
  if (box.length < HEAD_LENGTH + TAG_LENGTH || box[0] !== VERSION) return undefined;
  const tagStart = box.length - TAG_LENGTH;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(1, HEAD_LENGTH), {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAAD(associatedData(label));
  decipher.setAuthTag(box.subarray(tagStart));
  try {
    return Buffer.concat([decipher.update(box.subarray(HEAD_LENGTH, tagStart)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** JSON keeps the parts apart: `['a', 'bc']` and `['ab', 'c']` differ. The version is bound too. */
const associatedData = (label: SealLabel): Buffer => Buffer.from(JSON.stringify([VERSION, ...label]));
