import { describe, expect, it } from '@jest/globals';
import { SentRenewals } from '../watch/sent-renewals.js';
import { Lease } from './lease.js';
import { ManualClocks } from './manual-clocks.double.js';

const B = 2000;

/** A lease as a Watch stream renews it. */
class RenewedLease extends Lease {
  private readonly renewals = new SentRenewals();

  sent(id: number): void {
    this.renewals.add(id, this.reading());
  }

  answered(id: number, age: number): void {
    const reading = this.renewals.answered(id);
    if (reading !== undefined) this.extend(reading, age);
  }

  forgetSent(): void {
    this.renewals.forget();
  }

  get waitingSince(): number {
    return this.renewals.waitingSince;
  }
}

function renewed({ takes = 0, age = 0 } = {}) {
  const clocks = new ManualClocks();
  const lease = new RenewedLease(clocks, B);
  lease.sent(1);
  clocks.advance(takes);
  lease.answered(1, age);
  return { clocks, lease };
}

describe('G2: the lease', () => {
  it('is not there before a renewal was answered', () => {
    const lease = new RenewedLease(new ManualClocks(), B);
    lease.sent(1);
    expect(lease.remaining()).toBeLessThanOrEqual(0);
  });

  it('runs to B after the renewal was sent, not after its answer came', () => {
    const { clocks, lease } = renewed({ takes: 700 });
    expect(lease.remaining()).toBe(1300);
    clocks.advance(1299);
    expect(lease.remaining()).toBe(1);
    clocks.advance(1);
    expect(lease.remaining()).toBe(0);
  });

  it('is not there when the answer took B or longer', () => {
    expect(renewed({ takes: B }).lease.remaining()).toBe(0);
    expect(renewed({ takes: 60_000 }).lease.remaining()).toBeLessThan(0);
  });

  it('is shorter by the age of what the answering side knows', () => {
    expect(renewed({ age: 600 }).lease.remaining()).toBe(1400);
    expect(renewed({ age: B }).lease.remaining()).toBeLessThanOrEqual(0);
    expect(renewed({ age: 4e9 }).lease.remaining()).toBeLessThanOrEqual(0);
  });

  it('is not granted by an age that is no number, or below 0', () => {
    expect(renewed({ age: NaN }).lease.remaining()).toBe(-Infinity);
    expect(renewed({ age: -1 }).lease.remaining()).toBe(-Infinity);
  });

  it('ends by the monotonic clock alone: the wall clock was set back', () => {
    const { clocks, lease } = renewed();
    clocks.stepWall(-3_600_000);
    expect(lease.remaining()).toBe(B);
    clocks.advanceMonotonic(B);
    expect(lease.remaining()).toBe(0);
  });

  it('ends by the wall clock alone: the machine was suspended', () => {
    const { clocks, lease } = renewed();
    clocks.stepWall(B);
    expect(lease.remaining()).toBe(0);
  });

  it('has no threshold: each millisecond by either clock counts', () => {
    const { clocks, lease } = renewed();
    clocks.advance(500);
    clocks.stepWall(3);
    expect(lease.remaining()).toBe(1497);
    clocks.advanceMonotonic(10);
    expect(lease.remaining()).toBe(1490);
  });

  it('takes m0 from the renewal that is answered, never from the latest', () => {
    const { clocks, lease } = renewed();
    clocks.advance(500);
    lease.sent(2);
    clocks.advance(500);
    lease.sent(3);
    clocks.advance(300);
    lease.answered(2, 0);
    expect(lease.remaining()).toBe(B - 800);
  });

  it('is never shortened or extended by an answer to an older renewal', () => {
    const clocks = new ManualClocks();
    const lease = new RenewedLease(clocks, B);
    lease.sent(1);
    clocks.advance(500);
    lease.sent(2);
    clocks.advance(100);
    lease.answered(2, 0);
    lease.answered(1, 0);
    expect(lease.remaining()).toBe(B - 100);
  });

  it('keeps the later end when a younger answer knows less', () => {
    const clocks = new ManualClocks();
    const lease = new RenewedLease(clocks, B);
    lease.sent(1);
    lease.answered(1, 0);
    clocks.advance(100);
    lease.sent(2);
    lease.answered(2, 1500);
    expect(lease.remaining()).toBe(B - 100);
  });

  it('is renewed after a suspend only by what was sent after it', () => {
    const { clocks, lease } = renewed();
    lease.sent(2);
    clocks.stepWall(60_000);
    lease.answered(2, 0);
    expect(lease.remaining()).toBeLessThan(0);
    clocks.advanceMonotonic(1);
    lease.sent(3);
    lease.answered(3, 0);
    expect(lease.remaining()).toBe(B);
  });

  it('ignores an answer to no renewal, a second one, and one to what a lost connection had sent', () => {
    const { clocks, lease } = renewed();
    clocks.advance(1000);
    lease.answered(7, 0);
    lease.answered(1, 0);
    lease.sent(8);
    lease.forgetSent();
    lease.answered(8, 0);
    expect(lease.remaining()).toBe(1000);
  });

  it('is renewed by any of several sources: the answer that knows longest counts', () => {
    const clocks = new ManualClocks();
    const lease = new Lease(clocks, B);
    const [one, other] = [lease.reading(), (clocks.advance(300), lease.reading())];
    lease.extend(other, 400);
    lease.extend(one, 0);
    expect(lease.remaining()).toBe(B - 300);
    lease.extend(other, 200);
    expect(lease.remaining()).toBe(B - 200);
  });

  it('knows since when it waits for an answer', () => {
    const clocks = new ManualClocks(100);
    const lease = new RenewedLease(clocks, B);
    expect(lease.waitingSince).toBe(Infinity);
    lease.sent(1);
    clocks.advance(10);
    lease.sent(2);
    clocks.advance(10);
    lease.sent(3);
    expect(lease.waitingSince).toBe(100);
    lease.answered(2, 0);
    expect(lease.waitingSince).toBe(120);
  });
});
