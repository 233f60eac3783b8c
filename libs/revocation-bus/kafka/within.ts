import type { TimerHandle, Timers } from '../timers.js';

/** @throws Error when `work` takes longer; what comes of it then is nobody's concern. */
export function within<T>(timers: Timers, ms: number, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const handle = timers.setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => timers.clearTimeout(handle));
  });
}

/** Where a loop waits: until there is something to do, or for a time. */
export class Pause {
  private rung = false;
  private closed = false;
  private wake: () => void = () => undefined;

  constructor(private readonly timers: Timers) {}

  /** There is something to do. Kept for a loop that is not waiting now. */
  end(): void {
    this.rung = true;
    this.wake();
  }

  /** Every wait ends at once from now on. */
  close(): void {
    this.closed = true;
    this.wake();
  }

  /** Until `end`. */
  async wait(): Promise<void> {
    if (!this.rung && !this.closed) await new Promise<void>((resolve) => (this.wake = resolve));
    this.rung = false;
  }

  /** For a time, whatever there is to do. */
  async sleep(ms: number): Promise<void> {
    if (this.closed) return;
    let handle: TimerHandle | undefined;
    await new Promise<void>((resolve) => {
      handle = this.timers.setTimeout(resolve, ms);
      this.wake = () => {
        if (this.closed) resolve();
      };
    });
    if (handle !== undefined) this.timers.clearTimeout(handle);
  }
}
