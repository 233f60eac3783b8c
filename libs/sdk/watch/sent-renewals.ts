import type { Reading } from '../core/lease.js';

/** The renewals of a stream that may still be answered, and what the clocks said before each was sent. */
export class SentRenewals {
  readonly #sent = new Map<number, Reading>();

  /** To be called *before* renewal `id` is sent. Ids increase. */
  add(id: number, reading: Reading): void {
    this.#sent.set(id, reading);
  }

  /** The reading of the renewal that is answered; undefined if it is none of these, or was answered before. */
  answered(id: number): Reading | undefined {
    const reading = this.#sent.get(id);
    for (const older of this.#sent.keys()) {
      // An older one could not extend the lease any more.
      if (older <= id) this.#sent.delete(older);
    }
    return reading;
  }

  /** When the oldest renewal without an answer was sent, by the monotonic clock; Infinity if there is none. */
  get waitingSince(): number {
    for (const reading of this.#sent.values()) return reading.monotonic;
    return Infinity;
  }

  /** Answers to what was sent before count no more: the connection is gone. */
  forget(): void {
    this.#sent.clear();
  }
}
