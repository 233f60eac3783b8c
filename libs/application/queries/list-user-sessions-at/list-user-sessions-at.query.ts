import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { MomentInput } from '../../moment.js';
import type { SessionsPage } from '../list-user-sessions/list-user-sessions.query.js';

export interface ListUserSessionsAtInput extends MomentInput {
  readonly sub: string;
  readonly tenant?: string;
  /** 1 to 100; 50 if absent. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly includeEnded?: boolean;
}

/**
 * A user's sessions as they were, newest first, told from the log. Cost: one read of each session on the page. Scope:
 * audit:read. Errors: ERR_VALIDATION (`at`, `atPosition`, `cursor`).
 */
export class ListUserSessionsAt extends Query<SessionsPage> {
  constructor(
    readonly context: CallContext,
    readonly input: ListUserSessionsAtInput,
  ) {
    super();
  }
}
