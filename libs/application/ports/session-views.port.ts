import type { Initiator, Reason } from '#contracts';
import type { Epochs, Sealed } from '#domain';

/** A session as lists show it. Times are milliseconds of reference time. */
export interface SessionView {
  readonly tenant: string;
  readonly sub: string;
  readonly sid: string;
  readonly client: string;
  readonly gen: number;
  /** The epochs that it has seen. Mass revocations rewrite no row: whoever reads applies them. */
  readonly ep: Epochs;
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

/** `cursor` is the `nextCursor` of the page before. */
export interface ViewPageRequest {
  readonly limit: number;
  readonly cursor?: string;
  readonly includeEnded: boolean;
}

/**
 * The session views. On a log with inline views they are updated in the append's own statement and show every write that
 * returned; on another one they follow it (G8, see `ViewFreshness`). Lists include sessions that are past a timeout or an epoch
 * but not ended in the log: the caller applies both. Errors: ERR_VALIDATION (`cursor`), ERR_UNAVAILABLE.
 */
export interface SessionViews {
  /** One user's sessions, newest first. */
  listByUser(tenant: string, sub: string, page: ViewPageRequest): Promise<SessionViewPage>;
  /** A tenant's sessions, newest first. */
  listByTenant(tenant: string, page: ViewPageRequest): Promise<SessionViewPage>;
  /**
   * Open sessions whose timeouts had passed at `now`, in an order that does not change: the sweeper goes round with it. Looks at
   * `examine` open sessions at most.
   * @param after '' for the begin; else the `next` of the call before
   */
  listOverdue(
    now: number,
    after: string,
    examine: number,
  ): Promise<{ readonly sids: readonly string[]; /** '' at the end */ readonly next: string }>;
}

export const SESSION_VIEWS = Symbol('SessionViews');
