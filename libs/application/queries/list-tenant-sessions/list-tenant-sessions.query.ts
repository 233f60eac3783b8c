import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { SessionsPage } from '../list-user-sessions/list-user-sessions.query.js';

export interface ListTenantSessionsInput {
  readonly tenant?: string;
  /** 1 to 100; 50 if absent. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly includeEnded?: boolean;
  /** A position: the answer shows everything up to it (G8). */
  readonly atLeast?: string;
}

/**
 * A tenant's sessions, newest first. Scope: sessions:read. Errors: ERR_VALIDATION (`cursor`, `atLeast`), ERR_VIEW_BEHIND,
 * ERR_TENANT_REQUIRED, ERR_NOT_FOUND (`tenant`).
 */
export class ListTenantSessions extends Query<SessionsPage> {
  constructor(
    readonly context: CallContext,
    readonly input: ListTenantSessionsInput,
  ) {
    super();
  }
}
