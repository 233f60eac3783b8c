import type { TimerHandle, Timers } from './timers.js';

/** A burst of reports makes one piece of news. */
const GATHER_MS = 10;
/** At most this share of the time goes into looking at the store. */
const SHARE = 5;

/** Wakes all that wait together: at a steady pace, or soon after there was news here. */
export class NewsRound {
  private readonly waiting = new Set<() => void>();
  private timer: TimerHandle | undefined;
  private dueAt = Infinity;
  /** Milliseconds from one round to the next, and how old a look at the store may be. */
  paceMs: number;

  constructor(
    private readonly timers: Timers,
    private readonly everyMs: number,
  ) {
    this.paceMs = everyMs;
  }

  /** Resolves at the next round, or after `ms`. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.timers.clearTimeout(deadline);
        this.waiting.delete(end);
        resolve();
      };
      const deadline = this.timers.setTimeout(end, ms);
      this.waiting.add(end);
      this.schedule(this.paceMs);
    });
  }

  soon(): void {
    if (this.waiting.size > 0) this.schedule(GATHER_MS);
  }

  /** How long a look at the store took, ms: the pace follows it. */
  cost(ms: number): void {
    this.paceMs = Math.max(this.everyMs, ms * SHARE);
  }

  stop(): void {
    this.wake();
  }

  private schedule(inMs: number): void {
    const at = this.timers.monotonic() + inMs;
    if (at >= this.dueAt) return;
    if (this.timer !== undefined) this.timers.clearTimeout(this.timer);
    this.dueAt = at;
    this.timer = this.timers.setTimeout(() => {
      this.wake();
    }, inMs);
  }

  private wake(): void {
    if (this.timer !== undefined) this.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.dueAt = Infinity;
    for (const end of [...this.waiting]) end();
  }
}
