import { Query } from '@nestjs/cqrs';
import type { SessionInfo } from '#contracts';
import type { CallContext } from '../../caller.js';

export interface ListUserSessionsInput {
  readonly sub: string;
  readonly tenant?: string;
  /** 1 to 100; 50 if absent. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly includeEnded?: boolean;
  /** A sid: that session is marked as the current one. */
  readonly current?: string;
  /** A position: the answer shows everything up to it (G8). */
  readonly atLeast?: string;
}

export interface SessionsPage {
  readonly sessions: readonly SessionInfo[];
  readonly nextCursor?: string;
}

/**
 * A user's sessions, newest first. An unknown user has none. Scope: sessions:read. Errors: ERR_VALIDATION (`cursor`,
 * `atLeast`), ERR_VIEW_BEHIND.
 */
export class ListUserSessions extends Query<SessionsPage> {
  constructor(
    readonly context: CallContext,
    readonly input: ListUserSessionsInput,
  ) {
    super();
  }
}
