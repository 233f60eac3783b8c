import type { Clocks } from './clocks.js';

/** Clocks that a test moves, each for itself. */
export class ManualClocks implements Clocks {
  constructor(
    private monotonicMs = 5_000,
    private wallMs = 42,
  ) {}

  monotonic(): number {
    return this.monotonicMs;
  }

  wall(): number {
    return this.wallMs;
  }

  advance(milliseconds: number): void {
    this.monotonicMs += milliseconds;
    this.wallMs += milliseconds;
  }

  advanceMonotonic(milliseconds: number): void {
    this.monotonicMs += milliseconds;
  }

  stepWall(milliseconds: number): void {
    this.wallMs += milliseconds;
  }
}
