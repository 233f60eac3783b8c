/**
 * Reference time (DESIGN §4.5): the log store's clock made monotone, carried forward on this process's monotonic clock
 * between barriers. Every `now`, recorded-at, answer to a node and pruning rule uses it; no other clock decides anything.
 */
export interface ReferenceClock {
  /**
   * Milliseconds since the epoch, never lower than before.
   * @throws CurfewError ERR_UNAVAILABLE when the last barrier is so old that the time cannot be vouched for.
   */
  now(): number;
  /** Milliseconds since this instance's last answered barrier *began*; Infinity before the first. */
  barrierAge(): number;
}

export const REFERENCE_CLOCK = Symbol('ReferenceClock');

/**
 * Milliseconds since a moment, by the greater of the monotonic and the wall clock, so that a suspended process counts too.
 */
export type Stopwatch = () => number;
/** Starts a stopwatch. */
export type StartStopwatch = () => Stopwatch;

export const START_STOPWATCH = Symbol('StartStopwatch');
