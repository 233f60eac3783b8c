import { Inject, Injectable } from '@nestjs/common';
import { REFERENCE_CLOCK, type ReferenceClock } from '#application';

/** The default B: an instance whose barrier is older keeps no node fresh, and should get no traffic. */
const READY_BARRIER_AGE_MS = 2_000;

/** Whether this instance can do its job: its last answered barrier is young, so the log store is there and primary. */
@Injectable()
export class Readiness {
  constructor(@Inject(REFERENCE_CLOCK) private readonly clock: Pick<ReferenceClock, 'barrierAge'>) {}

  isReady(): boolean {
    return this.clock.barrierAge() < READY_BARRIER_AGE_MS;
  }
}
