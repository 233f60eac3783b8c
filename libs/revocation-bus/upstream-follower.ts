import type { Stopwatch } from '#application';
import type { RevocationMessage } from '#contracts';
import { startStopwatch } from '#platform';
import type { FollowedRevocations, RevocationListener } from './followed-revocations.js';
import { BARRIER_SPACING_MS } from './follower-schedule.js';
import { RevocationMemory } from './revocation-memory.js';
import { REPLAY_MARGIN_MS } from './revocation-follower.js';
import type { TimerHandle, Timers } from './timers.js';
import type { Renewed } from './watch-message.js';

const RENEW_AFTER_MS = 500;
const MIN_PATIENCE_MS = 250;
const MAX_PATIENCE_MS = 1_500;
/** How many times as long an answer may take while revocations keep coming; without limit during a replay. */
const BUSY = 10;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;

/** Why a stream ended, for people; and whether the upstream refused it, perhaps for its cursor. */
export interface UpstreamEnd {
  readonly detail: string;
  readonly refused: boolean;
}

export interface UpstreamHandlers {
  /** What throws ends the stream: a revocation that cannot be passed on must not be passed over. */
  onRevocation(revocation: RevocationMessage): void;
  onRenewed(renewed: Renewed): void;
  /** Once, unless the stream was closed from this side. */
  onEnd(end: UpstreamEnd): void;
}

export interface UpstreamStream {
  renew(id: string): void;
  close(): void;
}

/** Opens a Watch stream, greeting included. @param attempt counts up: the addresses of the upstream are tried in turn */
export type OpenUpstream = (attempt: number, cursor: string, handlers: UpstreamHandlers) => UpstreamStream;

export interface UpstreamFollowerOptions {
  readonly open: OpenUpstream;
  readonly timers: Timers;
  /** The staleness bound that this process itself would keep, ms. A silent upstream is left after half of it. */
  readonly bound: number;
  readonly onEnd?: (end: UpstreamEnd) => void;
}

/** A barrier of ours: a renewal of the upstream. */
interface Renewal {
  readonly id: string;
  readonly begunAt: number;
  readonly age: Stopwatch;
  /** Number of the first revocation that came after it began. */
  readonly readBefore: number;
}

/**
 * Follows another one's Watch stream. Its barrier is a renewal of that stream: the answer comes behind every revocation that
 * the upstream vouches for, so whoever asked before the renewal began may be told the upstream's own age (0 at an instance,
 * whatever a relay tells that answers out of its lease), and no more has to be added. A stream that ends fails the barrier,
 * and the next one asks again for all who wait.
 */
export class UpstreamFollower implements FollowedRevocations {
  readonly memory = new RevocationMemory(REPLAY_MARGIN_MS);
  private readonly listeners = new Set<RevocationListener>();
  private readonly counts = { barriers: 0, failures: 0, revocations: 0 };
  private readonly patience: number;
  private stream: UpstreamStream | undefined;
  private attempts = 0;
  private failuresInARow = 0;
  /** Of the stream at hand. */
  private answered = false;
  private heardAt = 0;
  private underWay: Renewal | undefined;
  private requested = true;
  private begunAt = -Infinity;
  private renewAfter: number;
  private renewals = 0;
  private cursor = '';
  private vouched: { readonly age: Stopwatch; readonly ageMs: number } | undefined;
  private timer: TimerHandle | undefined;
  private stopped = false;
  private firstBarrier: () => void = () => undefined;

  constructor(private readonly options: UpstreamFollowerOptions) {
    this.patience = Math.min(Math.max(options.bound / 2, MIN_PATIENCE_MS), MAX_PATIENCE_MS);
    this.renewAfter = this.interval(RENEW_AFTER_MS);
  }

  /** Resolves when the first renewal was answered, or on `stop`. An upstream that cannot be reached is tried again for ever. */
  start(): Promise<void> {
    const ready = new Promise<void>((resolve) => (this.firstBarrier = resolve));
    this.connect();
    return ready;
  }

  stop(): void {
    this.stopped = true;
    this.leave();
    this.firstBarrier();
  }

  /** Ends the stream and opens another at once, for what is said in its greeting. Who waits is answered by the new one. */
  reconnect(): void {
    if (this.stopped || !this.stream) return;
    this.leave();
    this.connect();
  }

  listen(listener: RevocationListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  requestBarrier(): void {
    if (this.requested) return;
    this.requested = true;
    if (this.stream && !this.underWay) this.schedule();
  }

  /** How old what this process knows is, ms: what a lease of its own would be measured by. Infinity before the first answer. */
  age(): number {
    return this.vouched ? this.vouched.age() + this.vouched.ageMs : Infinity;
  }

  stats(): Readonly<Record<'barriers' | 'failures' | 'revocations' | 'remembered', number>> {
    return { ...this.counts, remembered: this.memory.end - this.memory.begin };
  }

  private connect(): void {
    const { open, timers } = this.options;
    this.answered = false;
    this.heardAt = timers.monotonic();
    const ifCurrent =
      <T>(act: (value: T) => void) =>
      (value: T): void => {
        // A stream that was left may still deliver; its answers vouch for nothing.
        if (stream === undefined || stream !== this.stream) return;
        this.heardAt = timers.monotonic();
        this.attempt(() => {
          act(value);
        });
      };
    let stream: UpstreamStream | undefined = undefined;
    this.attempt(() => {
      stream = open(this.attempts++, this.cursor, {
        onRevocation: ifCurrent((revocation) => {
          this.receive(revocation);
        }),
        onRenewed: ifCurrent((renewed) => {
          this.renewed(renewed);
        }),
        onEnd: ifCurrent((end) => {
          this.fail(end);
        }),
      });
      this.stream = stream;
      this.begin();
    });
  }

  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail({ detail: error instanceof Error ? error.message : 'unknown', refused: false });
    }
  }

  private begin(): void {
    const { timers } = this.options;
    this.requested = false;
    this.begunAt = timers.monotonic();
    const id = String(++this.renewals);
    for (const listener of this.listeners) listener.barrierBegins?.();
    this.underWay = { id, begunAt: this.begunAt, age: startStopwatch(timers), readBefore: this.memory.end };
    this.stream?.renew(id);
    this.schedule();
  }

  private receive(revocation: RevocationMessage): void {
    if (this.memory.add(revocation)) this.counts.revocations++;
    for (const listener of this.listeners) listener.revoked();
  }

  private renewed({ id, cursor, referenceTimeMs, maxAccessTtlMs, renewAfterMs, ageMs }: Renewed): void {
    if (!(maxAccessTtlMs > 0 && referenceTimeMs > 0 && ageMs >= 0)) throw new Error('incomplete renewal');
    const renewal = this.underWay;
    if (renewal?.id !== id) return;
    this.underWay = undefined;
    this.answered = true;
    this.failuresInARow = 0;
    this.cursor = cursor;
    this.renewAfter = this.interval(renewAfterMs || RENEW_AFTER_MS);
    this.vouched = { age: renewal.age, ageMs };
    this.memory.keepFor(maxAccessTtlMs + REPLAY_MARGIN_MS);
    // What an aged answer does not vouch for may have become visible later than its reference time, by the age at most.
    this.memory.barrier(referenceTimeMs + ageMs, renewal.readBefore);
    this.counts.barriers++;
    const barrier = {
      n: BigInt(id),
      cursor,
      referenceTime: referenceTimeMs,
      ageMs,
      maxAccessTtl: maxAccessTtlMs,
    };
    for (const listener of this.listeners) listener.barrierAnswered?.(barrier);
    this.firstBarrier();
    if (this.stream) this.schedule();
  }

  /** Three renewals fit into the bound whatever the upstream says, and it is not flooded. */
  private interval(ms: number): number {
    return Math.max(Math.min(ms, this.options.bound / 3), BARRIER_SPACING_MS);
  }

  private schedule(): void {
    const wait = this.underWay ? this.patience : this.requested ? BARRIER_SPACING_MS : this.renewAfter;
    const { timers } = this.options;
    this.at(this.begunAt + wait - timers.monotonic(), () => {
      if (!this.underWay) this.attempt(() => this.begin());
      // The answer may be here already, unread: the process was busy or stopped. Look after the sockets were read.
      else this.at(0, () => this.lookAtSilence());
    });
  }

  private lookAtSilence(): void {
    if (!this.underWay) return;
    const now = this.options.timers.monotonic();
    const silent = now - this.heardAt >= this.patience;
    const limit = silent ? this.patience : this.answered ? BUSY * this.patience : Infinity;
    if (now - this.underWay.begunAt >= limit) this.fail({ detail: 'no answer to a renewal', refused: false });
    else this.at(this.patience / 4, () => this.lookAtSilence());
  }

  private fail(end: UpstreamEnd): void {
    if (this.stopped) return;
    this.leave();
    this.counts.failures++;
    // Refused at once, perhaps for its cursor: without one everything is replayed.
    if (!this.answered && end.refused) this.cursor = '';
    const backOff = Math.min(MIN_BACKOFF_MS * 2 ** this.failuresInARow++, MAX_BACKOFF_MS);
    this.at(backOff * (0.5 + Math.random() / 2), () => {
      this.connect();
    });
    this.options.onEnd?.(end);
  }

  /** Nobody is answered; who waits is in the next barrier. */
  private leave(): void {
    const { stream, underWay } = this;
    this.stream = undefined;
    this.underWay = undefined;
    this.clear();
    stream?.close();
    if (!underWay) return;
    this.requested = true;
    for (const listener of this.listeners) listener.barrierFailed?.();
  }

  private at(inMs: number, act: () => void): void {
    this.clear();
    this.timer = this.options.timers.setTimeout(act, Math.max(0, Math.ceil(inMs)));
  }

  private clear(): void {
    if (this.timer !== undefined) this.options.timers.clearTimeout(this.timer);
    this.timer = undefined;
  }
}
