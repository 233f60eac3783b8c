import {
  CLIENT,
  epoch,
  IDEMPOTENCY_KEY_HASH,
  INITIATOR,
  milliseconds,
  REASON,
  sid,
  SID_PATTERN,
  SUB,
  TENANT,
  UUID_PATTERN,
} from './fields.js';
import { choice, map, object, set, text } from './schema-parts.js';
import { MASS_REVOCATION_SCOPES } from '../vocabulary.js';

/** As many as a user has slots. */
const MAX_LEFT = 256;
/** As many as one call may spare. */
const MAX_EXCEPTED = 32;

export const userSessionAdmittedV1 = object(
  'The first version.',
  {
    sub: SUB,
    tenant: TENANT,
    sid: sid('The new session.'),
    left: set(
      'Sessions that left the user’s slots with this admission, whatever made them dead.',
      sid('A session.'),
      MAX_LEFT,
    ),
  },
  { idempotencyKeyHash: IDEMPOTENCY_KEY_HASH },
);

/** A scope is named by exactly these members. */
const namedBy = (kind: string, members: readonly string[]) => ({
  if: { type: 'object', properties: { kind: { const: kind } } },
  then: {
    type: 'object',
    required: members,
    properties: Object.fromEntries(['tenant', 'sub', 'client'].map((name) => [name, members.includes(name)])),
  },
});

export const scopeRevokedV1 = object(
  'The first version.',
  {
    revocationId: text('UUID: what the caller and the audit call it by.', UUID_PATTERN),
    kind: choice('What kind of scope.', MASS_REVOCATION_SCOPES),
    epoch: epoch('The scope’s new epoch.', 1),
    excepted: map(
      'The whole map of the spared: sid → the epoch from which on every revocation spared it.',
      SID_PATTERN,
      epoch('From this epoch on.'),
      MAX_EXCEPTED,
    ),
    reason: REASON,
    initiator: INITIATOR,
    at: milliseconds('When it was revoked.'),
  },
  {
    tenant: { ...TENANT, description: 'The tenant; absent for `global`.' },
    sub: { ...SUB, description: 'Of `user` only: the user.' },
    client: { ...CLIENT, description: 'Of `client` only: the application.' },
    idempotencyKeyHash: IDEMPOTENCY_KEY_HASH,
  },
  [
    namedBy('user', ['tenant', 'sub']),
    namedBy('client', ['tenant', 'client']),
    namedBy('tenant', ['tenant']),
    namedBy('global', []),
  ],
);
