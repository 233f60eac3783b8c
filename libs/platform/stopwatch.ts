export interface Clocks {
  /** Milliseconds; never goes back, may stand still while the machine sleeps. */
  readonly monotonic: () => number;
  /** Milliseconds; may be set, goes on while the machine sleeps. */
  readonly wall: () => number;
}

const SYSTEM: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() };

/**
 * Milliseconds since now, by the greater of the two clocks: a suspended process counts too, and a wall clock that is set
 * back takes nothing away (DESIGN §6). Never negative.
 */
export function startStopwatch(clocks: Clocks = SYSTEM): () => number {
  const start = { monotonic: clocks.monotonic(), wall: clocks.wall() };
  return () => Math.max(clocks.monotonic() - start.monotonic, clocks.wall() - start.wall, 0);
}
