import {
  bytes32,
  CLIENT,
  epochs,
  generation,
  IDEMPOTENCY_KEY_HASH,
  INITIATOR,
  milliseconds,
  POLICY,
  REASON,
  sealed,
  seconds,
  serverKeyId,
  SUB,
  TENANT,
} from './fields.js';
import { choice, line, list, object } from './schema-parts.js';

const MAC_KEY_ID = serverKeyId('Id of the MAC key that the refresh token is under.');
const ACCESS_EXP = seconds('`exp` of the access token issued with it.');

const CREATED = {
  sub: SUB,
  tenant: TENANT,
  client: CLIENT,
  roles: list('Roles of the user.', line('A role.', 64), 64),
  authTime: seconds('When the user authenticated.'),
  policy: POLICY,
  macKeyId: MAC_KEY_ID,
  secretHash: bytes32('SHA-256 of the first refresh token’s secret.'),
  at: milliseconds('When it was created: idle and absolute time count from here.'),
  accessExp: ACCESS_EXP,
};
const CREATED_OPTIONAL = {
  acr: line('Authentication context class.', 128),
  amr: list('Authentication methods.', line('A method (RFC 8176).', 64), 16),
  device: sealed('Device and network of the user.'),
  claims: sealed('Custom claims.'),
};

export const sessionCreatedV1 = object('Before epochs.', CREATED, CREATED_OPTIONAL);
export const sessionCreatedV2 = object(
  'With the epochs seen.',
  { ...CREATED, ep: epochs('The epochs seen: of the session’s user, client and tenant, and of all.') },
  CREATED_OPTIONAL,
);

const ROTATED = {
  gen: generation('The new generation.', 1),
  secretHash: bytes32('SHA-256 of the successor’s secret.'),
  salt: bytes32('What the successor’s secret was derived with.'),
  pepperId: serverKeyId('Id of the server key that it was derived with.'),
  macKeyId: MAC_KEY_ID,
  at: milliseconds('When the command was received: the session was active then.'),
  supersededAt: milliseconds('When the generation before it was superseded: as the event was sent.'),
  accessExp: ACCESS_EXP,
};
const ROTATED_OPTIONAL = {
  idempotencyKeyHash: IDEMPOTENCY_KEY_HASH,
  device: sealed('Device and network of the user, if they came with the call.'),
};

export const sessionRotatedV1 = object('Before epochs.', ROTATED, ROTATED_OPTIONAL);
export const sessionRotatedV2 = object('With the epochs adopted.', ROTATED, {
  ...ROTATED_OPTIONAL,
  ep: epochs('The epochs adopted; absent if they are those that the session had.'),
});

export const sessionRotationReplayedV1 = object(
  'The first version.',
  {
    gen: generation('The generation that was given out.', 1),
    presentedGen: generation('The generation that was presented.'),
    rule: choice('By which rule.', ['idempotency-key', 'grace', 'first-load']),
  },
  { device: sealed('Device and network of the presenter, if they came with the call.') },
);

export const sessionTheftDetectedV1 = object(
  'The first version.',
  {
    presentedGen: generation('The generation that was presented.'),
    currentGen: generation('The generation that was current.', 1),
  },
  { device: sealed('Device and network of the presenter, if they came with the call.') },
);

export const sessionRevokedV1 = object(
  'The first version.',
  {
    sub: SUB,
    tenant: TENANT,
    reason: REASON,
    initiator: INITIATOR,
    at: milliseconds('When it was revoked.'),
  },
  { note: sealed('`{ note }`: what the caller wrote for the record.') },
);

export const sessionExpiredV1 = object('The first version.', {
  sub: SUB,
  tenant: TENANT,
  reason: choice('Which timeout.', ['idle', 'absolute']),
  at: milliseconds('When it expired, not when that was noticed.'),
});
