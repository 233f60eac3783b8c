import { describe, expect, it } from '@jest/globals';
import { ManualClocks } from './manual-clocks.double.js';
import { ReferenceTime } from './reference-time.js';

describe('the reference time of a node', () => {
  it('is not known before the first answer', () => {
    expect(new ReferenceTime(new ManualClocks()).now()).toBe(-Infinity);
  });

  it('goes on with the monotonic clock, whatever the wall clock does', () => {
    const clocks = new ManualClocks();
    const time = new ReferenceTime(clocks);
    time.set(1_000_000);
    clocks.stepWall(9_999_999);
    clocks.advanceMonotonic(250);
    expect(time.now()).toBe(1_000_250);
  });

  it('takes the younger answer even if its own clock ran ahead, so that drift does not add up', () => {
    const clocks = new ManualClocks();
    const time = new ReferenceTime(clocks);
    time.set(1_000_000);
    clocks.advanceMonotonic(510);
    time.set(1_000_500);
    expect(time.now()).toBe(1_000_500);
  });

  it('does not go back to an answer that is lower than the one before', () => {
    const time = new ReferenceTime(new ManualClocks());
    time.set(1_000_500);
    time.set(1_000_000);
    expect(time.now()).toBe(1_000_500);
  });
});
