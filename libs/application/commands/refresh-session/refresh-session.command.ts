import { Command } from '@nestjs/cqrs';
import type { DeviceInput, IssuedSession } from '#contracts';
import type { CallContext } from '../../caller.js';

export interface RefreshSessionInput {
  readonly refreshToken: string;
  readonly idempotencyKey?: string;
  readonly device?: DeviceInput;
}

/**
 * Presents a refresh token: rotated, replayed, theft or refused, by the table in DESIGN §5. Scope: sessions:issue.
 * Errors: ERR_TOKEN_REFUSED, ERR_IDEMPOTENCY_KEY_REUSED, ERR_TOO_LATE, ERR_CONTENTION, ERR_UNAVAILABLE.
 */
export class RefreshSession extends Command<IssuedSession> {
  constructor(
    readonly context: CallContext,
    readonly input: RefreshSessionInput,
  ) {
    super();
  }
}
