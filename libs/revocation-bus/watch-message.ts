import type { RevocationCursor } from '#application';
import type { RevocationMessage } from '#contracts';

/** The answer to one renewal, behind every revocation that the read of its barrier showed (DESIGN §6). */
export interface Renewed {
  /** The renewal that this answers, and no other. A `uint64` as decimal text; opaque here. */
  readonly id: string;
  /** Resume here, at any instance. */
  readonly cursor: RevocationCursor;
  /** Of the barrier: milliseconds since the epoch, never ahead of the log's own clock. */
  readonly referenceTimeMs: number;
  readonly maxAccessTtlMs: number;
  /** When to send the next renewal; jitter included. */
  readonly renewAfterMs: number;
  /** 0 at an instance. What the upstream told at a cascading relay. */
  readonly ageMs: number;
}

/**
 * One message of a Watch stream, shaped as `curfew.v1.WatchResponse`. A revocation's object is one and the same for all
 * subscribers and all replays, so that a door can keep its serialized bytes in a WeakMap.
 */
export type WatchMessage = { readonly revocation: RevocationMessage } | { readonly renewed: Renewed };

export interface RevocationWatchMessage {
  readonly revocation: RevocationMessage;
}
