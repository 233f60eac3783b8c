import { CurfewError, isCurfewError } from '#contracts';
import { parseJson } from '../http/json-text.js';
import { SecurityFeedQuery } from './audit.dto.js';
import { AnyText, Instant, Line, QueryFlag, QueryInteger } from './fields.js';
import { IDEMPOTENCY_KEY } from './idempotency-key.js';
import { CursorField, HistoryQuery, ListSessionsQuery, TenantSessionsQuery } from './list.dto.js';
import { POSITION } from './position.js';
import { MassRevocationBody } from './revocation.dto.js';
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

export class ListTenantSessionsMessage extends TenantSessionsQuery {
  @TenantField()
  readonly tenant?: string;
}

export class RevokeMessage extends RevokeSessionBody {
  @SidField()
  readonly sid!: string;

  @TenantField()
  readonly tenant?: string;

  @SubField(false)
  readonly sub?: string;
}

export class RevokeAllMessage extends MassRevocationBody {
  @IdempotencyKeyField()
  readonly idempotencyKey?: string;
}

export class HistoryMessage extends HistoryQuery {
  @SidField()
  readonly sid!: string;
}

class MomentMessage extends TenantQuery {
  @Instant({ description: 'Milliseconds since the epoch.' })
  readonly atMs?: number;

  @Line({ ...POSITION, description: 'In place of an instant.' })
  readonly atPosition?: string;
}

export class SessionAtMessage extends MomentMessage {
  @SidField()
  readonly sid!: string;
}

export class UserSessionsAtMessage extends MomentMessage {
  @SubField(true)
  readonly sub!: string;

  @QueryInteger({ min: 1, max: 100, description: 'Sessions a page.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;

  @QueryFlag({ description: 'Sessions that had ended by then, too.' })
  readonly includeEnded?: boolean;
}

export class SecurityFeedMessage extends SecurityFeedQuery {}

export class CountersMessage extends TenantQuery {
  @Instant({ required: true, description: 'Included, milliseconds since the epoch.' })
  readonly fromMs!: number;

  @Instant({ required: true, description: 'Not included.' })
  readonly toMs!: number;
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
