import type { Clocks } from './clocks.js';

/** What both clocks said at one moment. */
export interface Reading {
  readonly monotonic: number;
  readonly wall: number;
}

/**
 * The right to decide from memory until B after the moment at which a renewal that was answered had been *sent* (DESIGN §6).
 * Time since that moment is the greater of what the two clocks say, with no threshold: a suspended process, or one whose
 * wall clock was set, has no lease. Nobody else's clock is looked at. Any number of sources may renew it.
 */
export class Lease {
  readonly #clocks: Clocks;
  readonly #bound: number;
  #from: Reading = { monotonic: -Infinity, wall: -Infinity };
  #length = 0;

  /** @param bound B in milliseconds. */
  constructor(clocks: Clocks, bound: number) {
    this.#clocks = clocks;
    this.#bound = bound;
  }

  /** To be taken *before* a renewal is sent. */
  reading(): Reading {
    return { monotonic: this.#clocks.monotonic(), wall: this.#clocks.wall() };
  }

  /**
   * What was sent after `from` was answered by one whose own knowledge is `age` milliseconds old: the lease runs to B - age
   * after `from`. What would end earlier than the lease at hand changes nothing.
   * @returns whether the lease is fresh by this answer: then it tells of a moment that is less than B ago.
   */
  extend(from: Reading, age: number): boolean {
    const length = this.#bound - age;
    const isLater = age >= 0 && from.monotonic + length > this.#from.monotonic + this.#length;
    if (isLater) {
      this.#from = from;
      this.#length = length;
    }
    return isLater && this.remaining() > 0;
  }

  /**
   * Milliseconds that the lease has left; fresh means above 0. To be read last before a decision.
   * @param now a reading that was taken just now.
   */
  remaining({ monotonic, wall }: Reading = this.reading()): number {
    return this.#length - Math.max(monotonic - this.#from.monotonic, wall - this.#from.wall);
  }
}
