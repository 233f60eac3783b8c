import type { RecordedEvent } from './event-log.port.js';

/** What had been committed at some instant. Opaque text; any instance can use another's. Not a number (DESIGN §6). */
export type RevocationCursor = string;

export interface RevocationPage {
  /** Every committed revocation event that `after` did not show, in no particular order. */
  readonly events: readonly RevocationEvent[];
  readonly cursor: RevocationCursor;
}

export interface RevocationEvent {
  readonly event: RecordedEvent;
  /** What `shows` needs to tell whether a cursor had shown the event (PostgreSQL: its xid). */
  readonly mark: string;
}

export interface Barrier extends RevocationPage {
  /** Greater than every barrier before it. */
  readonly n: bigint;
  /** Reference time, milliseconds (DESIGN §4.5): the store's clock, never lower than at an earlier barrier. */
  readonly referenceTime: number;
}

/**
 * The log as the revocation follower reads it: every committed revocation at once, also one committed beyond a horizon that
 * an old transaction holds. One serial reader an instance: calls must not overlap.
 * Errors: `CurfewError('ERR_UNAVAILABLE')`.
 */
export interface RevocationLog {
  /**
   * The newest stored cursor that was taken at least `windowMs` of reference time ago; the beginning of the log if none is
   * that old. A page read after it holds every revocation that became visible in the last `windowMs`.
   */
  cursorBefore(windowMs: number): Promise<RevocationCursor>;
  read(after: RevocationCursor): Promise<RevocationPage>;
  /**
   * Writes a barrier, as durable as an append, and then reads, on one connection: the read shows every revocation whose
   * append had returned before this call began. A deposed primary, a stale standby or a cancelled wait for a standby fails.
   */
  barrier(after: RevocationCursor): Promise<Barrier>;
  /** Stores a pair of reference time and cursor for `cursorBefore`; prunes pairs that are no longer needed. */
  rememberCursor(cursor: RevocationCursor, referenceTime: number, keepMs: number): Promise<void>;
  /** Whether a read that ended at `cursor` had shown the event. */
  shows(cursor: RevocationCursor, mark: string): boolean;
  /** False for text that is no cursor of this store. */
  isCursor(text: string): boolean;
  /** Calls back soon after some instance appended a revocation: a hint, not a promise (poll as well). Returns a stop. */
  onAppended(wake: () => void): () => void;
}

export const REVOCATION_LOG = Symbol('RevocationLog');
