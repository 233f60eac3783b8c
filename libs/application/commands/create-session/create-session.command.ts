import { Command } from '@nestjs/cqrs';
import type { IssuedSession, NewSession } from '#contracts';
import type { CallContext } from '../../caller.js';

export interface CreateSessionInput extends NewSession {
  readonly idempotencyKey?: string;
}

/** Starts a session: admission, first event and the ends it causes in one append (DESIGN §5). Scope: sessions:issue. */
export class CreateSession extends Command<IssuedSession> {
  constructor(
    readonly context: CallContext,
    readonly input: CreateSessionInput,
  ) {
    super();
  }
}
