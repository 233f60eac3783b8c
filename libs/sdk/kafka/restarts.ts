import type { Clocks } from '../core/clocks.js';

const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** What has worked for so long is well again. */
const WELL_MS = 20_000;

/** Begins something again, for ever, with a back-off that grows as long as it does not last. */
export class Restarts {
  readonly #clocks: Clocks;
  readonly #begin: () => void;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #beganAt = -Infinity;

  constructor(clocks: Clocks, begin: () => void) {
    this.#clocks = clocks;
    this.#begin = begin;
  }

  now(): void {
    this.worked();
    this.#beganAt = this.#clocks.monotonic();
    this.#begin();
  }

  /** @returns false if that was planned already. */
  soon(): boolean {
    if (this.#timer !== undefined) return false;
    if (this.#clocks.monotonic() - this.#beganAt > WELL_MS) this.#failures = 0;
    const backoff = Math.min(MIN_BACKOFF_MS * 4 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.now(), backoff * (0.5 + Math.random() / 2)).unref();
    return true;
  }

  /** It works after all: what was planned is not needed. */
  worked(): void {
    this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
