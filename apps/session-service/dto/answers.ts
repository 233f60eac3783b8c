import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  API_KEY_SCOPES,
  ERROR_CODES,
  INITIATORS,
  REASONS,
  type ApiKeyScope,
  type Initiator,
  type Reason,
} from '#contracts';
import type { HistoryEvent, HistoryPage, RevokedSession, SessionsPage } from '#application';
import type { DeviceInput, IssuedSession, MassRevoked, SessionInfo, WriteAnswer } from '#contracts';

// The answers of the REST door for OpenAPI. Each implements the type that the use case answers with, so they cannot differ.

const SECONDS = { type: 'integer', description: 'Seconds since the epoch.' } as const;

/** The answer to a write. */
abstract class WrittenDoc implements WriteAnswer {
  @ApiProperty({ description: 'Where the write stands in the log.' })
  readonly position!: string;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'True when a list may not show it yet; pass the position as `Curfew-At-Least`.',
  })
  readonly viewPending?: true;
}

export class IssuedSessionDoc extends WrittenDoc implements IssuedSession {
  @ApiProperty({ description: 'Session id: a public handle, not a secret.' })
  readonly sid!: string;

  @ApiProperty({ description: 'Give it to nobody but the client that it is for.' })
  readonly refreshToken!: string;

  @ApiProperty({ ...SECONDS, description: 'The earlier of the idle and the absolute timeout, seconds.' })
  readonly refreshExpiresAt!: number;

  @ApiPropertyOptional({ description: 'Absent when a replay finds the first one expired: refresh again.' })
  readonly accessToken?: string;

  @ApiPropertyOptional(SECONDS)
  readonly accessExpiresAt?: number;

  @ApiProperty({ type: 'integer', description: 'How often the refresh token was rotated.' })
  readonly gen!: number;
}

export class DeviceDoc implements DeviceInput {
  @ApiPropertyOptional()
  readonly name?: string;

  @ApiPropertyOptional()
  readonly userAgent?: string;

  @ApiPropertyOptional()
  readonly ip?: string;

  @ApiPropertyOptional()
  readonly place?: string;
}

export class SessionDoc implements SessionInfo {
  @ApiProperty()
  readonly sid!: string;

  @ApiProperty()
  readonly sub!: string;

  @ApiProperty()
  readonly tenant!: string;

  @ApiProperty()
  readonly client!: string;

  @ApiProperty({ enum: ['active', 'revoked', 'expired'] })
  readonly status!: 'active' | 'revoked' | 'expired';

  @ApiProperty({ type: 'integer' })
  readonly gen!: number;

  @ApiProperty({ type: [String] })
  readonly roles!: string[];

  @ApiProperty(SECONDS)
  readonly createdAt!: number;

  @ApiProperty(SECONDS)
  readonly lastSeenAt!: number;

  @ApiProperty(SECONDS)
  readonly idleExpiresAt!: number;

  @ApiProperty(SECONDS)
  readonly absoluteExpiresAt!: number;

  @ApiPropertyOptional(SECONDS)
  readonly endedAt?: number;

  @ApiPropertyOptional({ enum: REASONS })
  readonly endedReason?: Reason;

  @ApiPropertyOptional({ enum: INITIATORS })
  readonly endedBy?: Initiator;

  @ApiPropertyOptional({ description: 'In a list asked for with `current`: whether it is that session.' })
  readonly current?: boolean;

  @ApiPropertyOptional({ type: () => DeviceDoc, description: 'Only for callers with personal-data:read.' })
  readonly device?: DeviceDoc;
}

export class SessionsPageDoc implements SessionsPage {
  @ApiProperty({ type: [SessionDoc] })
  readonly sessions!: SessionDoc[];

  @ApiPropertyOptional({ description: 'Absent on the last page.' })
  readonly nextCursor?: string;
}

export class RevokedSessionDoc extends WrittenDoc implements RevokedSession {
  @ApiProperty({ description: 'False when the session had ended before.' })
  readonly revoked!: boolean;

  @ApiProperty({ description: 'For its receipt: the sid, since a session ends once.' })
  readonly revocationId!: string;
}

export class MassRevokedDoc extends WrittenDoc implements MassRevoked {
  @ApiProperty()
  readonly revocationId!: string;

  @ApiProperty({ type: 'integer', description: "The scope's epoch since." })
  readonly epoch!: number;

  @ApiProperty({ description: 'True when the same Idempotency-Key had done it before: nothing was raised.' })
  readonly repeated!: boolean;
}

class ActorDoc {
  @ApiProperty()
  readonly kind!: string;

  @ApiProperty()
  readonly id!: string;
}

export class HistoryEventDoc implements HistoryEvent {
  @ApiProperty()
  readonly id!: string;

  @ApiProperty()
  readonly type!: string;

  @ApiProperty({ type: 'integer' })
  readonly revision!: number;

  @ApiProperty()
  readonly position!: string;

  @ApiProperty({ type: 'integer', description: 'Milliseconds since the epoch, reference time.' })
  readonly recordedAt!: number;

  @ApiProperty({ type: () => ActorDoc })
  readonly actor!: ActorDoc;

  @ApiProperty()
  readonly initiator!: string;

  @ApiProperty()
  readonly correlationId!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  readonly data!: Record<string, unknown>;
}

export class HistoryPageDoc implements HistoryPage {
  @ApiProperty({ type: [HistoryEventDoc] })
  readonly events!: HistoryEventDoc[];

  @ApiPropertyOptional({ description: 'Absent on the last page.' })
  readonly nextCursor?: string;
}

/** An API key as the REST door shows it. Its times are seconds, as everywhere at this door. */
export class ApiKeyDoc {
  @ApiProperty()
  readonly id!: string;

  @ApiProperty()
  readonly name!: string;

  @ApiProperty({ enum: API_KEY_SCOPES, isArray: true })
  readonly scopes!: readonly ApiKeyScope[];

  @ApiProperty({ type: [String] })
  readonly tenants!: readonly string[];

  @ApiProperty({ type: [String] })
  readonly audiences!: readonly string[];

  @ApiProperty(SECONDS)
  readonly createdAt!: number;

  @ApiProperty({ description: 'Id of the key that made it.' })
  readonly createdBy!: string;

  @ApiPropertyOptional(SECONDS)
  readonly revokedAt?: number;
}

export class CreatedApiKeyDoc extends ApiKeyDoc {
  @ApiProperty({ description: 'The secret. It is shown this once; only its SHA-256 is kept.' })
  readonly key!: string;
}

export class ApiKeysDoc {
  @ApiProperty({ type: [ApiKeyDoc] })
  readonly apiKeys!: ApiKeyDoc[];
}

export class IntrospectionDoc {
  @ApiProperty({ description: 'False: everything else is absent (RFC 7662 §2.2).' })
  readonly active!: boolean;

  @ApiPropertyOptional()
  readonly sub?: string;

  @ApiPropertyOptional()
  readonly sid?: string;

  @ApiPropertyOptional()
  readonly exp?: number;
}

export class ProblemDoc {
  @ApiProperty({ example: 'urn:curfew:error:ERR_VALIDATION' })
  readonly type!: string;

  @ApiProperty()
  readonly title!: string;

  @ApiProperty({ type: 'integer' })
  readonly status!: number;

  @ApiProperty({ enum: ERROR_CODES })
  readonly code!: string;

  @ApiPropertyOptional()
  readonly detail?: string;

  @ApiPropertyOptional({ description: 'The field at fault, as a path.' })
  readonly field?: string;

  @ApiPropertyOptional({ description: 'Of a defect (500): finds the log entry.' })
  readonly errorId?: string;
}
