import type { Barrier } from '#application';
import type { RevocationMemory } from './revocation-memory.js';

/** A barrier as those hear of it that follow the follower. Its revocations are in the memory already. */
export interface AnsweredBarrier extends Omit<Barrier, 'events'> {
  /**
   * Milliseconds by which the answer is older than the barrier's begin here: 0 from the log itself, more from an upstream
   * that answers out of a lease of its own. A node's bound is shorter by it. Default 0.
   */
  readonly ageMs?: number;
  /** As the upstream told it with this very answer. Default: the setting of this instance. */
  readonly maxAccessTtl?: number;
}

/**
 * What follows the follower. Calls are synchronous and in this order: `barrierBegins`, then `revoked` if the barrier's read
 * showed anything, then `barrierAnswered`; or, wherever it went wrong, `barrierFailed`. Plain reads call `revoked` alone,
 * an upstream's stream also between `barrierBegins` and `barrierAnswered`.
 * What throws fails the read or the barrier: the cursor stays, and the same revocations are read again.
 */
export interface RevocationListener {
  /** Called just before a barrier is written: whoever asks from now on waits for the next one. */
  barrierBegins?(): void;
  /** The memory has grown. On return the new revocations are queued for all subscribers. */
  revoked(): void;
  barrierAnswered?(barrier: AnsweredBarrier): void;
  barrierFailed?(): void;
}

/**
 * Revocations as a hub or a publisher takes them, wherever they are read: `RevocationFollower` reads the log,
 * `UpstreamFollower` another one's Watch stream.
 */
export interface FollowedRevocations {
  readonly memory: RevocationMemory;
  /** Returns a stop. */
  listen(listener: RevocationListener): () => void;
  /** Asks for a barrier that has not begun yet. */
  requestBarrier(): void;
}

/** Tells which revocations the holder of a cursor has seen. */
export interface RevocationCursors {
  /** False for text that is no cursor of this store. */
  isCursor(text: string): boolean;
  /** Whether what led to `cursor` had shown the revocation of this mark. */
  shows(cursor: string, mark: string): boolean;
}
