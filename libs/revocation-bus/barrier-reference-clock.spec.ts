import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startStopwatch } from '#platform';
import { BarrierReferenceClock, MAX_BARRIER_AGE_MS } from './barrier-reference-clock.js';
import { VirtualTimers } from './testing/virtual-timers.js';

function setUp() {
  const timers = new VirtualTimers();
  const clock = new BarrierReferenceClock(timers);
  const barrier = (referenceTime: number, tookMs = 0) => {
    const sinceBegan = startStopwatch(timers);
    timers.suspend(tookMs);
    clock.barrierAnswered(referenceTime, sinceBegan);
  };
  return { timers, clock, barrier };
}

describe('BarrierReferenceClock', () => {
  it('has no time before the first barrier', () => {
    const { clock } = setUp();
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }));
    expect(clock.barrierAge()).toBe(Infinity);
  });

  it('carries the time on from when the answer was received, and the age from when the barrier began', () => {
    const { timers, clock, barrier } = setUp();
    barrier(10_000, 300);
    timers.suspend(200);
    expect(clock.now()).toBe(10_200);
    expect(clock.barrierAge()).toBe(500);
  });

  it('stands still where the store is behind what was told, and goes on from there', () => {
    const { timers, clock, barrier } = setUp();
    barrier(10_000);
    timers.suspend(1_000);
    expect(clock.now()).toBe(11_000);
    barrier(10_000);
    expect(clock.now()).toBe(11_000);
    timers.suspend(900);
    expect(clock.now()).toBe(11_000);
    timers.suspend(200);
    expect(clock.now()).toBe(11_100);
  });

  it('does not follow the wall clock of its process', () => {
    const { timers, clock, barrier } = setUp();
    barrier(10_000);
    timers.stepWall(-3_600_000);
    timers.suspend(100);
    expect(clock.now()).toBe(10_100);
    expect(clock.barrierAge()).toBe(100);
  });

  it('refuses once the barrier is too old', () => {
    const { timers, clock, barrier } = setUp();
    barrier(10_000);
    timers.suspend(MAX_BARRIER_AGE_MS);
    expect(clock.now()).toBe(15_000);
    timers.suspend(1);
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }));
  });

  it('counts a suspend in which only the wall clock went on', () => {
    const { timers, clock, barrier } = setUp();
    barrier(10_000);
    timers.stepWall(60_000);
    expect(clock.barrierAge()).toBe(60_000);
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }));
    barrier(70_000);
    expect(clock.now()).toBe(70_000);
  });

  it('never goes back, and is never ahead of a store whose clock never steps back', () => {
    const step = fc.record({ wait: fc.nat(4_000), travel: fc.nat(900), storeJump: fc.nat(50_000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const { timers, clock, barrier } = setUp();
        let storeAhead = 0;
        let last = -Infinity;
        const look = () => {
          const now = clock.now();
          expect(now).toBeGreaterThanOrEqual(last);
          expect(now).toBeLessThanOrEqual(timers.monotonic() + storeAhead);
          last = now;
        };
        for (const { wait, travel, storeJump } of steps) {
          storeAhead += storeJump;
          barrier(timers.monotonic() + storeAhead, travel);
          look();
          timers.suspend(wait);
          look();
        }
      }),
    );
  });
});
