import { CurfewError, isCurfewError } from '#contracts';
import { parseJson } from '../http/json-text.js';
import { AnyText, Line } from './fields.js';
import { IDEMPOTENCY_KEY } from './idempotency-key.js';
import { HistoryQuery, ListSessionsQuery } from './list.dto.js';
import {
  CreateSessionBody,
  IntrospectForm,
  RefreshSessionBody,
  RevokeSessionBody,
  TenantField,
  TenantQuery,
} from './session.dto.js';

// The request messages of the gRPC door: the REST door's fields, and those that REST has in the path or in a header.

const IdempotencyKeyField = () =>
  Line({
    ...IDEMPOTENCY_KEY,
    accepts: '22 to 255 visible ASCII characters, 128 random bits or more',
    description: '128 random bits or more.',
  });
/** Any text: one that no session can have is unknown, not malformed. */
const SidField = () => AnyText({ required: true, description: 'Session id.' });
const SubField = (required: boolean) => Line({ required, max: 255, description: 'The user.' });

export class CreateSessionMessage extends CreateSessionBody {
  @IdempotencyKeyField()
  readonly idempotencyKey?: string;
}

export class RefreshSessionMessage extends RefreshSessionBody {
  @IdempotencyKeyField()
  readonly idempotencyKey?: string;
}

export class IntrospectMessage extends IntrospectForm {}

export class GetSessionMessage extends TenantQuery {
  @SidField()
  readonly sid!: string;
}

export class ListSessionsMessage extends ListSessionsQuery {
  @SubField(true)
  readonly sub!: string;
}

export class RevokeMessage extends RevokeSessionBody {
  @SidField()
  readonly sid!: string;

  @TenantField()
  readonly tenant?: string;

  @SubField(false)
  readonly sub?: string;
}

export class HistoryMessage extends HistoryQuery {
  @SidField()
  readonly sid!: string;
}

function claimsOf(text: unknown): unknown {
  try {
    return parseJson(String(text));
  } catch (error) {
    if (!isCurfewError(error)) throw error;
    throw new CurfewError('ERR_VALIDATION', { field: 'claims', detail: 'must be one JSON object' });
  }
}

/** `claims_json` and the 64-bit `auth_time` as the DTO has them. */
export function prepareCreate(message: Record<string, unknown>): object {
  const { claimsJson, authTime, ...rest } = message;
  return {
    ...rest,
    ...(claimsJson === undefined ? {} : { claims: claimsOf(claimsJson) }),
    ...(authTime === undefined ? {} : { authTime: Number(authTime) }),
  };
}
