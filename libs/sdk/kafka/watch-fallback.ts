import type { OpenRevocationSource, RunningSource } from '../core/revocation-source.js';

/** Renewals over Kafka for so long, without a stop, end the fallback; twice as long each time, since it flaps. */
const STEADY_MS = 5000;
const MAX_STEADY_MS = 60_000;
/** Before the first renewal: time to join a group, which may take 3 s, and to replay. */
const START_MS = 5000;

export type FallbackChange = 'fallback-opened' | 'fallback-closed';

/** Watch, beside Kafka, for as long as Kafka does not renew (DESIGN §11): it renews the same lease, after a replay of its own. */
export class WatchFallback {
  readonly #open: () => RunningSource;
  readonly #onChange: (change: FallbackChange) => void;
  readonly #startedAt: number;
  /** The newest moment from which Kafka renewed. */
  #renewedFrom = -Infinity;
  /** Since when it has renewed without a stop. */
  #steadySince = Infinity;
  #steady = STEADY_MS;
  #running: RunningSource | undefined;

  constructor(
    open: () => ReturnType<OpenRevocationSource>,
    startedAt: number,
    onChange: (change: FallbackChange) => void,
  ) {
    this.#open = open;
    this.#startedAt = startedAt;
    this.#onChange = onChange;
  }

  get isOpen(): boolean {
    return this.#running !== undefined;
  }

  /** Kafka renewed the lease from this monotonic time on. */
  renewed(from: number): void {
    this.#renewedFrom = from;
    this.#steadySince = Math.min(this.#steadySince, from);
  }

  /**
   * To be called often.
   * @param patience milliseconds that may pass from one renewed moment to the next.
   */
  tick(now: number, patience: number): void {
    const starved =
      this.#renewedFrom === -Infinity ? now - this.#startedAt > START_MS : now - this.#renewedFrom > patience;
    if (starved) {
      this.#steadySince = Infinity;
      if (this.#running === undefined) this.#start();
    } else if (this.#running !== undefined && now - this.#steadySince >= this.#steady) {
      this.#steady = Math.min(2 * this.#steady, MAX_STEADY_MS);
      this.close();
      this.#onChange('fallback-closed');
    }
  }

  close(): void {
    void this.#running?.close();
    this.#running = undefined;
  }

  #start(): void {
    this.#running = this.#open();
    this.#running.connect();
    this.#onChange('fallback-opened');
  }
}
