import type { Clocks } from './clocks.js';

interface Reading {
  readonly monotonic: number;
  readonly wall: number;
}

/**
 * The right to decide from memory until B after the moment at which a renewal that was answered had been *sent* (DESIGN §6).
 * Time since that moment is the greater of what the two clocks say, with no threshold: a suspended process, or one whose
 * wall clock was set, has no lease. Nobody else's clock is looked at.
 */
export class Lease {
  readonly #clocks: Clocks;
  readonly #bound: number;
  readonly #sent = new Map<number, Reading>();
  #monotonic = -Infinity;
  #wall = -Infinity;
  #length = 0;

  /** @param bound B in milliseconds. */
  constructor(clocks: Clocks, bound: number) {
    this.#clocks = clocks;
    this.#bound = bound;
  }

  /** To be called *before* renewal `id` is sent. Ids increase. */
  sent(id: number): void {
    this.#sent.set(id, { monotonic: this.#clocks.monotonic(), wall: this.#clocks.wall() });
  }

  /**
   * Renewal `id` was answered by one whose own knowledge is `age` milliseconds old: the lease runs to B - age after that
   * renewal was sent. An answer to an unknown renewal, or one that would end earlier than the lease at hand, changes nothing.
   */
  answered(id: number, age: number): void {
    const reading = this.#sent.get(id);
    for (const older of this.#sent.keys()) {
      // An older one could not extend the lease any more.
      if (older <= id) this.#sent.delete(older);
    }
    if (reading === undefined || !(age >= 0)) return;
    const length = this.#bound - age;
    if (reading.monotonic + length <= this.#monotonic + this.#length) return;
    this.#monotonic = reading.monotonic;
    this.#wall = reading.wall;
    this.#length = length;
  }

  /** When the oldest renewal without an answer was sent, by the monotonic clock; Infinity if there is none. */
  get waitingSince(): number {
    for (const reading of this.#sent.values()) return reading.monotonic;
    return Infinity;
  }

  /** Answers to what was sent before count no more: the connection is gone. */
  forgetSent(): void {
    this.#sent.clear();
  }

  /** Milliseconds that the lease has left; fresh means above 0. To be read last before a decision. */
  remaining(): number {
    return this.remainingAt(this.#clocks.monotonic(), this.#clocks.wall());
  }

  /** The same for readings that were taken just now. */
  remainingAt(monotonic: number, wall: number): number {
    return this.#length - Math.max(monotonic - this.#monotonic, wall - this.#wall);
  }
}
