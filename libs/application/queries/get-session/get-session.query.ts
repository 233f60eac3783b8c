import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { SessionAnswer } from '../../session-answer.js';

/** One session, from its stream. Scope: sessions:read. Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE. */
export class GetSession extends Query<SessionAnswer> {
  constructor(
    readonly context: CallContext,
    readonly input: { readonly sid: string; readonly tenant?: string },
  ) {
    super();
  }
}
