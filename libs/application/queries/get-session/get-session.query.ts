import { Query } from '@nestjs/cqrs';
import type { SessionInfo } from '#contracts';
import type { CallContext } from '../../caller.js';

/** One session, from its stream. Scope: sessions:read. Errors: ERR_NOT_FOUND, ERR_UNAVAILABLE. */
export class GetSession extends Query<SessionInfo> {
  constructor(
    readonly context: CallContext,
    readonly input: { readonly sid: string; readonly tenant?: string },
  ) {
    super();
  }
}
