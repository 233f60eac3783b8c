import type { Position } from './event-log.port.js';

/** A read model that follows the log. */
export type ProjectionName = 'sessions' | 'security-feed' | 'counters';

/**
 * - `live`: follows the log (or is updated in the append's own statement).
 * - `paused`: an event could not be applied. It is never skipped: mend the cause, then resume.
 */
export type ProjectionState = 'live' | 'paused';

export interface ProjectionStatus {
  readonly name: ProjectionName;
  readonly state: ProjectionState;
  /** Updated in the append's own statement: never behind. */
  readonly inline: boolean;
  /** Grows with every rebuild. */
  readonly version: number;
  /** What it has taken in; '' before the first event. */
  readonly position: Position;
  /** Milliseconds between the newest event of the log and the newest event taken in, by their recorded-at; 0 when caught up. */
  readonly lagMs: number;
  /** Events of the log not yet taken in; counted up to 100,000. */
  readonly lagEvents: number;
  /** Why it is paused: the event and the class of the error. No data of the event. */
  readonly failure?: {
    readonly position: Position;
    readonly eventId: string;
    readonly eventType: string;
    readonly error: string;
  };
  /** A rebuild under way, also one that waits for an instance to go on with it. */
  readonly rebuild?: ProjectionRebuild;
}

export interface ProjectionRebuild {
  readonly version: number;
  readonly state: 'building' | 'failed';
  readonly eventsDone: number;
  /** Events of the log when it began and since, by estimate. */
  readonly eventsTotal: number;
  readonly error?: string;
}

/**
 * The projections as operators see them. Errors: ERR_NOT_FOUND for an unknown name, ERR_UNAVAILABLE.
 */
export interface Projections {
  status(): Promise<readonly ProjectionStatus[]>;
  /** Tries the event again at which a paused projection stands. Nothing to do for one that is live. */
  resume(name: string): Promise<void>;
  /**
   * Builds a new version beside the live one, from position zero, then flips. Returns at once; an instance with the role
   * `projector` does it, and another goes on if that one dies. A second call while one is under way joins it.
   */
  rebuild(name: string): Promise<void>;
}
export const PROJECTIONS = Symbol('Projections');

/** Waits for views (G8). */
export interface ViewFreshness {
  /** True when views may be behind the log: the write's response then waits for `sessions`, bounded. */
  readonly lags: boolean;
  /**
   * Resolves true once a query of the view shows everything up to `position`, false after `waitMs`.
   * Errors: ERR_VALIDATION (`atLeast`) for what is no position of this log.
   */
  shows(view: ProjectionName, position: Position, waitMs: number): Promise<boolean>;
}
export const VIEW_FRESHNESS = Symbol('ViewFreshness');
