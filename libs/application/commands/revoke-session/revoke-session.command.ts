import { Command } from '@nestjs/cqrs';
import type { CallerReason, Initiator, WriteAnswer } from '#contracts';
import type { CallContext } from '../../caller.js';

export interface RevokeSessionInput {
  readonly sid: string;
  readonly tenant?: string;
  /** If set, the session must belong to this user. */
  readonly sub?: string;
  readonly reason?: CallerReason;
  readonly initiator?: Initiator;
  readonly note?: string;
}

export interface RevokedSession extends WriteAnswer {
  /** False when it had ended before. */
  readonly revoked: boolean;
  /** For its receipt: the sid, since a session ends once. */
  readonly revocationId: string;
}

/** Ends one session for good (G1). Idempotent. Scope: sessions:revoke. Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE, ERR_CONTENTION. */
export class RevokeSession extends Command<RevokedSession> {
  constructor(
    readonly context: CallContext,
    readonly input: RevokeSessionInput,
  ) {
    super();
  }
}
