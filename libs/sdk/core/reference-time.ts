import type { Clocks } from './clocks.js';

/**
 * The service's reference time (DESIGN §4), carried forward on the monotonic clock from the moment an answer arrived. It is
 * behind by at most the way of the answer, never ahead: no token is refused too early.
 */
export class ReferenceTime {
  readonly #clocks: Clocks;
  #received = -Infinity;
  #at = 0;

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
  }

  /** An answer said so just now. Between two answers the greater counts; the carried value does not, or drift would add up. */
  set(milliseconds: number): void {
    this.#received = Math.max(this.#received, milliseconds);
    this.#at = this.#clocks.monotonic();
  }

  /**
   * Milliseconds since the epoch; -Infinity before the first answer.
   * @param monotonic a reading that was taken just now.
   */
  now(monotonic = this.#clocks.monotonic()): number {
    return this.#received + (monotonic - this.#at);
  }
}
