import { Command } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { DeviceInput, IssuedSession } from '../../session-answer.js';

export interface CreateSessionInput {
  readonly sub: string;
  readonly tenant?: string;
  readonly client?: string;
  readonly device?: DeviceInput;
  readonly roles?: readonly string[];
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Seconds since the epoch. */
  readonly authTime?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
  /** A session of the same tenant that ends in the same append (login over an older session). Needs sessions:revoke. */
  readonly replaces?: string;
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
