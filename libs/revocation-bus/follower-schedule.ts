import type { Timers } from './timers.js';

/** At most one barrier in this time, whatever the number of nodes (DESIGN §6). */
export const BARRIER_SPACING_MS = 50;
/** One this often without any renewal: for reference time and for introspection. */
export const IDLE_BARRIER_MS = 1_000;
/** A wake-up is a hint, so the log is polled as well. */
const POLL_MS = 200;
/** Under a flood of wake-ups, one read takes what came in this time. */
const READ_SPACING_MS = 2;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 500;

interface Due {
  readonly kind: 'barrier' | 'read';
  /** 0 or less: now. */
  readonly inMs: number;
}

/** When the follower's next call to the log is due, and which. */
export class FollowerSchedule {
  private barrierBeganAt = -Infinity;
  private readBeganAt = -Infinity;
  private readEndedAt = -Infinity;
  private retryAt = -Infinity;
  private barrierRequested = true;
  private woken = false;
  private failures = 0;

  constructor(private readonly timers: Timers) {}

  next(): Due {
    const barrierAt = this.barrierBeganAt + (this.barrierRequested ? BARRIER_SPACING_MS : IDLE_BARRIER_MS);
    const readAt = this.woken ? this.readBeganAt + READ_SPACING_MS : this.readEndedAt + POLL_MS;
    const now = this.timers.monotonic();
    // A barrier reads as well, so where both are due it alone is enough.
    const kind = barrierAt <= Math.max(now, readAt, this.retryAt) ? 'barrier' : 'read';
    const dueAt = Math.max(kind === 'barrier' ? barrierAt : readAt, this.retryAt);
    return { kind, inMs: dueAt === -Infinity ? 0 : dueAt - now };
  }

  appended(): void {
    this.woken = true;
  }

  /** False if one was requested already. */
  requestBarrier(): boolean {
    const first = !this.barrierRequested;
    this.barrierRequested = true;
    return first;
  }

  readBegins(): void {
    this.woken = false;
    this.readBeganAt = this.timers.monotonic();
  }

  barrierBegins(): void {
    this.readBegins();
    this.barrierBeganAt = this.readBeganAt;
    this.barrierRequested = false;
  }

  readEnded(): void {
    this.readEndedAt = this.timers.monotonic();
  }

  succeeded(): void {
    this.failures = 0;
    this.retryAt = -Infinity;
  }

  /** It is tried again at once, that is after the back-off. */
  barrierFailed(): void {
    this.barrierRequested = true;
  }

  /** Returns how many calls in a row have failed. */
  failed(): number {
    const backOff = Math.min(FIRST_RETRY_MS * 2 ** this.failures, LAST_RETRY_MS);
    this.retryAt = this.timers.monotonic() + backOff;
    this.woken = true;
    return ++this.failures;
  }
}
