import type { Rules } from './rules.js';

/** What a process can read: no true time. Ticks. */
export interface Reading {
  readonly monotonic: number;
  readonly wall: number;
}

/** The two clocks of one process and what has befallen them. */
export interface ProcessClock {
  monotonic: number;
  wall: number;
  /** The process does not run and its monotonic clock stands still (a suspend); the wall clock goes on. */
  asleep: boolean;
  /** The monotonic clock has stood still at least once. */
  hasSlept: boolean;
  /** The wall clock was set back at least once. */
  wasSetBack: boolean;
}

export const newClock = (): ProcessClock => ({
  monotonic: 0,
  wall: 0,
  asleep: false,
  hasSlept: false,
  wasSetBack: false,
});

export function advance(clock: ProcessClock, ticks: number): void {
  clock.wall += ticks;
  if (!clock.asleep) clock.monotonic += ticks;
}

export const read = (clock: ProcessClock): Reading => ({ monotonic: clock.monotonic, wall: clock.wall });

/** Divergence up to this many ticks is taken for noise by the mutation `threshold`. */
const THRESHOLD = 6;

/** Ticks since `start` as far as this process can tell. */
export function elapsed(rule: Rules['elapsed'], start: Reading, now: Reading): number {
  const monotonic = now.monotonic - start.monotonic;
  const wall = now.wall - start.wall;
  switch (rule) {
    case 'greater-of-both':
      return Math.max(monotonic, wall);
    case 'threshold':
      return wall - monotonic > THRESHOLD ? wall : monotonic;
    case 'monotonic-only':
      return monotonic;
    case 'wall-only':
      return wall;
  }
}
