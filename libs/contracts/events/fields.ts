import { choice, integer, line, object, text, tuple } from './schema-parts.js';
import { INITIATORS, REASONS } from '../vocabulary.js';

/** End of the year 9999: whatever is beyond it is in the wrong unit. */
const MAX_SECONDS = 253_402_300_799;
const MAX_MILLISECONDS = MAX_SECONDS * 1_000 + 999;
const MAX_UINT16 = 65_535;
const MAX_UINT32 = 4_294_967_295;
const DAY = 86_400_000;

export const SID_PATTERN = '^[0-9a-f]{32}$';
export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';
const NAME_PATTERN = '^[A-Za-z0-9._~-]{1,64}$';
/** 32 bytes as unpadded base64url: two bits of the last character are always 0. */
const BYTES_32 = '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$';
export const KEY_ID_PATTERN = '^[A-Za-z0-9_-]{16,64}$';

export const seconds = (description: string) =>
  integer(`${description} Seconds since the epoch.`, 0, MAX_SECONDS);
export const milliseconds = (description: string) =>
  integer(`${description} Milliseconds since the epoch.`, 0, MAX_MILLISECONDS);
export const bytes32 = (description: string) => text(`${description} 32 bytes, base64url.`, BYTES_32);
export const sid = (description: string) => text(`${description} 32 hexadecimal digits.`, SID_PATTERN);

/** Of a refresh token: 32 bits in it. */
export const generation = (description: string, first: 0 | 1 = 0) => integer(description, first, MAX_UINT32);
/** Of a server key: 16 bits in a refresh token. */
export const serverKeyId = (description: string) => integer(description, 1, MAX_UINT16);
/** 32 bits in the messages to the nodes. */
export const epoch = (description: string, first: 0 | 1 = 0) => integer(description, first, MAX_UINT32);

export const epochs = (description: string) =>
  tuple(description, [
    epoch('Of the user.'),
    epoch('Of the client.'),
    epoch('Of the tenant.'),
    epoch('Of all.'),
  ]);

export const SUB = line('The user: a pseudonym.', 255);
export const TENANT = text('The tenant.', NAME_PATTERN);
export const CLIENT = text('The application that the user signed in to.', NAME_PATTERN);
export const REASON = choice('Why.', REASONS);
export const INITIATOR = choice('Who wanted it.', INITIATORS);
export const IDEMPOTENCY_KEY_HASH = bytes32(
  'SHA-256 of the call’s `Idempotency-Key`; absent if it had none.',
);

/** AES-256-GCM: version, nonce, ciphertext of at least `{}`, tag. */
export const sealed = (description: string) =>
  object(`${description} Sealed under the user’s key.`, {
    keyId: text('Id of the user’s key.', KEY_ID_PATTERN),
    box: text('Version, nonce, ciphertext and tag, base64url.', '^[A-Za-z0-9_-]{42,4096}$'),
  });

export const POLICY = object('What holds for the session, resolved at its creation. Milliseconds.', {
  accessTtl: integer('Life of an access token.', 1_000, DAY),
  idleTimeout: integer('Without a refresh for so long it expires.', 1_000, 3_650 * DAY),
  absoluteTimeout: integer('It never lives longer.', 1_000, 3_650 * DAY),
  reuseGrace: integer(
    'How long a superseded refresh token is taken for another tab; 0 turns it off.',
    0,
    300_000,
  ),
});
