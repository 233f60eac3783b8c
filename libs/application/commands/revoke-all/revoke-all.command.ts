import { Command } from '@nestjs/cqrs';
import type { MassRevocation, MassRevoked } from '#contracts';
import type { CallContext } from '../../caller.js';

export interface RevokeAllInput extends MassRevocation {
  readonly idempotencyKey?: string;
}

/**
 * Ends all sessions of a user, a client, a tenant or of everyone, in one append whatever their number (G5). Scope:
 * scopes:revoke; for a user, sessions:revoke will do (who may end each may end all). `global` needs a key for every tenant.
 * Errors: ERR_VALIDATION (a field that does not belong to the scope), ERR_TENANT_REQUIRED, ERR_NOT_FOUND, ERR_FORBIDDEN,
 * ERR_EXCEPTION_NOT_ALIVE, ERR_IDEMPOTENCY_KEY_REUSED (with another wish), ERR_UNAVAILABLE, ERR_CONTENTION, ERR_TOO_LATE.
 */
export class RevokeAll extends Command<MassRevoked> {
  constructor(
    readonly context: CallContext,
    readonly input: RevokeAllInput,
  ) {
    super();
  }
}
