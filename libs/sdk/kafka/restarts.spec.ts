import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Restarts } from './restarts.js';

describe('restarts', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function setUp() {
    const began: number[] = [];
    const monotonic = (): number => Date.now();
    const restarts = new Restarts({ monotonic, wall: monotonic }, () => began.push(Date.now()));
    /** How long it takes until it begins again. */
    const backoff = (): number => {
      const failed = Date.now();
      restarts.soon();
      while (began.at(-1)! <= failed) jest.advanceTimersByTime(10);
      return began.at(-1)! - failed;
    };
    restarts.now();
    return { restarts, began, backoff };
  }

  it('come later each time, after 10 s at the most', () => {
    const { backoff } = setUp();
    const waited = Array.from({ length: 8 }, backoff);
    expect(waited[0]).toBeLessThanOrEqual(100);
    expect(waited[2]).toBeGreaterThanOrEqual(800);
    for (const ms of waited.slice(4)) {
      expect(ms).toBeGreaterThanOrEqual(5_000);
      expect(ms).toBeLessThanOrEqual(10_000);
    }
  });

  it('come soon again after it has worked for 20 s', () => {
    const { backoff } = setUp();
    for (let i = 0; i < 6; i += 1) backoff();
    jest.advanceTimersByTime(20_001);
    expect(backoff()).toBeLessThanOrEqual(100);
  });

  it('are planned once, and not needed when it works after all', () => {
    const { restarts, began } = setUp();
    expect([restarts.soon(), restarts.soon()]).toEqual([true, false]);
    restarts.worked();
    jest.advanceTimersByTime(60_000);
    expect(began).toHaveLength(1);
  });
});
