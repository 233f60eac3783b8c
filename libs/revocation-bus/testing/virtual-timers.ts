import type { TimerHandle, Timers } from '../timers.js';

interface Pending {
  readonly at: number;
  readonly run: () => void;
}

/** Lets every promise that can settle without a timer settle. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Clocks that only `advance` and the `step`s move. */
export class VirtualTimers implements Timers {
  private readonly pending = new Map<number, Pending>();
  private now = 1_000;
  private wallOffset = 1_700_000_000_000;
  private handles = 0;

  get open(): number {
    return this.pending.size;
  }

  monotonic(): number {
    return this.now;
  }

  wall(): number {
    return this.now + this.wallOffset;
  }

  setTimeout(run: () => void, ms: number): TimerHandle {
    this.pending.set(++this.handles, { at: this.now + Math.max(1, ms), run });
    return this.handles;
  }

  clearTimeout(handle: TimerHandle): void {
    this.pending.delete(handle as number);
  }

  stepWall(ms: number): void {
    this.wallOffset += ms;
  }

  /** The process does not run: both clocks move, no timer fires before the end. */
  suspend(ms: number): void {
    this.now += ms;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.setTimeout(resolve, ms));
  }

  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    await settle();
    for (;;) {
      const [handle, first] = [...this.pending].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (handle === undefined || !first || first.at > until) break;
      this.pending.delete(handle);
      this.now = Math.max(this.now, first.at);
      first.run();
      await settle();
    }
    this.now = Math.max(this.now, until);
  }
}
