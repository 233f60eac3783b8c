import type { Initiator, Reason } from '#contracts';
import type { Sealed } from '#domain';

/** A session as lists show it. Times are milliseconds of reference time. */
export interface SessionView {
  readonly tenant: string;
  readonly sub: string;
  readonly sid: string;
  readonly client: string;
  readonly gen: number;
  readonly roles: readonly string[];
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly device?: Sealed;
  readonly ended?: { readonly at: number; readonly reason: Reason; readonly initiator: Initiator };
}

export interface SessionViewPage {
  readonly sessions: readonly SessionView[];
  /** Opaque; absent on the last page. */
  readonly nextCursor?: string;
}

/** The per-user session view: updated in the append's own statement, so it shows every write that returned (G8). */
export interface SessionViews {
  /**
   * One user's sessions, newest first. Includes sessions that are past a timeout but not yet ended in the log: the caller
   * applies expiry. Errors: ERR_VALIDATION (`cursor`), ERR_UNAVAILABLE.
   */
  listByUser(
    tenant: string,
    sub: string,
    page: { limit: number; cursor?: string; includeEnded: boolean },
  ): Promise<SessionViewPage>;
}

export const SESSION_VIEWS = Symbol('SessionViews');
