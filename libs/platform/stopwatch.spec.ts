import { describe, expect, it } from '@jest/globals';
import { startStopwatch } from './stopwatch.js';

describe('a stopwatch', () => {
  const setUp = () => {
    const now = { monotonic: 500, wall: 1_700_000_000_000 };
    const elapsed = startStopwatch({ monotonic: () => now.monotonic, wall: () => now.wall });
    return { now, elapsed };
  };

  it('starts at zero and counts milliseconds', () => {
    const { now, elapsed } = setUp();
    expect(elapsed()).toBe(0);
    now.monotonic += 30;
    now.wall += 30;
    expect(elapsed()).toBe(30);
  });

  it('G2: counts a suspend, during which only the wall clock advances', () => {
    const { now, elapsed } = setUp();
    now.monotonic += 1;
    now.wall += 60_000;
    expect(elapsed()).toBe(60_000);
  });

  it('G2: loses nothing when the wall clock is set back', () => {
    const { now, elapsed } = setUp();
    now.monotonic += 2_000;
    now.wall -= 3_600_000;
    expect(elapsed()).toBe(2_000);
  });

  it('is never negative', () => {
    const { now, elapsed } = setUp();
    now.wall -= 1;
    now.monotonic -= 1;
    expect(elapsed()).toBe(0);
  });

  it('runs on the clocks of the system by default', () => {
    const elapsed = startStopwatch();
    const before = performance.now();
    while (performance.now() < before + 3);
    expect(elapsed()).toBeGreaterThanOrEqual(3);
  });
});
