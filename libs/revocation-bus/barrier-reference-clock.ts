import type { ReferenceClock, Stopwatch } from '#application';
import { CurfewError } from '#contracts';
import type { Timers } from './timers.js';

/** Above this age of the last barrier the time cannot be vouched for (DESIGN §4.4: the age at which a command gives up). */
export const MAX_BARRIER_AGE_MS = 5_000;

/** Reference time from barriers (DESIGN §4.5). The revocation follower feeds it; until its first barrier there is no time. */
export class BarrierReferenceClock implements ReferenceClock {
  private anchor: { readonly referenceTime: number; readonly receivedAt: number } | undefined;
  private sinceBegan: Stopwatch = () => Infinity;
  private told = -Infinity;

  constructor(private readonly timers: Timers) {}

  /**
   * To be called when a barrier's answer arrives: time is carried on from here, not from the barrier's begin, so that it is
   * never ahead of the store's clock.
   * @param sinceBegan started just before the barrier
   */
  barrierAnswered(referenceTime: number, sinceBegan: Stopwatch): void {
    this.anchor = { referenceTime, receivedAt: this.timers.monotonic() };
    this.sinceBegan = sinceBegan;
  }

  now(): number {
    if (!this.anchor || this.barrierAge() > MAX_BARRIER_AGE_MS) {
      throw new CurfewError('ERR_UNAVAILABLE', { detail: 'The log store has not told the time lately' });
    }
    const { referenceTime, receivedAt } = this.anchor;
    // The store's clock may stand still after a step back or a failover; what was told before stays told.
    this.told = Math.max(this.told, Math.floor(referenceTime + this.timers.monotonic() - receivedAt));
    return this.told;
  }

  barrierAge(): number {
    return this.sinceBegan();
  }
}
