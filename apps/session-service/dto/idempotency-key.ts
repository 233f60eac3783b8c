import { CurfewError } from '#contracts';

/** 22 characters of base64url are 128 bits: fewer can be guessed. */
export const IDEMPOTENCY_KEY = { min: 22, max: 255, pattern: /^[\x21-\x7e]+$/ } as const;
/** A string of RFC 8941, which is how draft-ietf-httpapi-idempotency-key-header writes the header. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * Reads the `Idempotency-Key` header, bare or quoted.
 * @throws CurfewError ERR_VALIDATION
 */
export function readIdempotencyKey(header: string): string {
  const { min, max, pattern } = IDEMPOTENCY_KEY;
  const key = QUOTED.exec(header)?.[1]?.replace(/\\(["\\])/g, '$1') ?? header;
  if (key.length < min || key.length > max || !pattern.test(key)) {
    throw new CurfewError('ERR_VALIDATION', {
      field: 'Idempotency-Key',
      detail: `must be ${min} to ${max} visible ASCII characters, 128 random bits or more`,
    });
  }
  return key;
}
