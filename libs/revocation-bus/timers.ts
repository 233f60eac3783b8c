import { performance } from 'node:perf_hooks';

export type TimerHandle = object | number;

/** The process's clocks and timers, so that specs can run under virtual time. Milliseconds. */
export interface Timers {
  /** Never goes back; its zero means nothing. */
  monotonic(): number;
  /** Since the epoch; may be wrong and may step. */
  wall(): number;
  setTimeout(run: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

export const systemTimers: Timers = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (handle) => {
    clearTimeout(handle as NodeJS.Timeout);
  },
};
