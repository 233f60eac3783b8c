import type { Kafka } from 'kafkajs';
import type { Clocks } from '../core/clocks.js';
import { laneEnds } from './lane-offsets.js';

const TICK_MS = 250;
const PATIENCE_MS = 1500;
const MAX_PATIENCE_MS = 15_000;

/**
 * Notices a consumer that brings nothing though there is something: kafkajs can stop without a word. Silence of 1.5 s makes it
 * ask the broker where the lanes end; if the lanes are read to there, it is the relay that is silent.
 */
export class SilenceWatch {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #next: readonly bigint[];
  readonly #clocks: Clocks;
  readonly #onSilent: (reason: string) => void;
  /** By lane: time that passed without a record while the process ran. */
  #quiet: number[] = [];
  #patience = PATIENCE_MS;
  #tickAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  /** Where the lanes ended when they were asked for. */
  #ends: readonly bigint[] | undefined;

  /** @param next by lane, the offset that is read next; it changes as records are read. */
  constructor(
    kafka: Kafka,
    topic: string,
    next: readonly bigint[],
    clocks: Clocks,
    onSilent: (reason: string) => void,
  ) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#next = next;
    this.#clocks = clocks;
    this.#onSilent = onSilent;
  }

  start(): void {
    this.close();
    this.#quiet = this.#next.map(() => 0);
    this.#tickAt = this.#clocks.monotonic();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  heard(lane: number): void {
    this.#quiet[lane] = 0;
    this.#patience = PATIENCE_MS;
  }

  #tick(): void {
    const now = this.#clocks.monotonic();
    // A process that was stopped has heard nothing, through no fault of the consumer's.
    const passed = Math.min(now - this.#tickAt, 2 * TICK_MS);
    this.#tickAt = now;
    this.#quiet = this.#quiet.map((quiet) => quiet + passed);
    const ends = this.#ends;
    this.#ends = undefined;
    const silent = this.#quiet.flatMap((quiet, lane) => (quiet >= this.#patience ? lane : []));
    const stuck = silent.find((lane) => ends !== undefined && ends[lane] !== this.#next[lane]);
    if (stuck !== undefined) this.#onSilent(`lane ${stuck} brings nothing, though there is something`);
    else if (ends !== undefined && silent.length > 0) this.#rest();
    else if (silent.length > 0 && !this.#asking) void this.#ask();
  }

  /** All was read: the relay is silent. */
  #rest(): void {
    this.#patience = Math.min(2 * this.#patience, MAX_PATIENCE_MS);
    this.#quiet.fill(0);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      this.#ends = await laneEnds(this.#kafka, this.#topic);
    } catch (error) {
      if (this.#timer !== undefined) this.#onSilent(String(error));
    } finally {
      this.#asking = false;
    }
  }
}
