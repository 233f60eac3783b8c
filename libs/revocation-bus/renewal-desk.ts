import { CurfewError } from '#contracts';
import type { AnsweredBarrier, FollowedRevocations, RevocationListener } from './followed-revocations.js';
import { renewalPeriod } from './renewal-period.js';
import type { TimerHandle, Timers } from './timers.js';

export interface RenewalDeskOptions {
  readonly follower: Pick<FollowedRevocations, 'listen' | 'requestBarrier'>;
  readonly timers: Timers;
  /** Who has waited for so long is refused. Default 2,000 ms: the default B, after which the answer is worth nothing. */
  readonly patienceMs?: number;
  /** How many may wait at once; others are refused. Default 10,000. */
  readonly maxWaiting?: number;
}

/** The answer to a unary renewal. */
export interface AnsweredRenewal {
  /** It began after the call. */
  readonly barrier: AnsweredBarrier;
  /** When to send the next renewal; jitter included. */
  readonly renewAfterMs: number;
}

interface Waiting {
  readonly answer: (answered: AnsweredRenewal) => void;
  readonly refuse: (error: CurfewError) => void;
  readonly deadline: TimerHandle;
}

/**
 * Renewals that come one by one, not in a Watch stream: each waits for the next barrier of this instance that begins after it
 * arrived. All that wait share one. When it is answered, the follower's memory holds every revocation whose call had
 * returned before the renewal arrived.
 */
export class RenewalDesk implements RevocationListener {
  /** For the next barrier. */
  private waiting = new Set<Waiting>();
  /** For the one under way. */
  private inFlight = new Set<Waiting>();
  private answers = 0;
  private stopped = false;
  private readonly unlisten: () => void;

  constructor(private readonly options: RenewalDeskOptions) {
    this.unlisten = options.follower.listen(this);
  }

  /** @throws CurfewError ERR_UNAVAILABLE: no barrier in time, too many callers, or the instance stops */
  renew(): Promise<AnsweredRenewal> {
    const { follower, timers, patienceMs = 2_000, maxWaiting = 10_000 } = this.options;
    if (this.stopped) return Promise.reject(unavailable('this instance stops'));
    if (this.waiting.size + this.inFlight.size >= maxWaiting)
      return Promise.reject(unavailable('too many renewals wait'));
    return new Promise((resolve, reject) => {
      const deadline = timers.setTimeout(() => {
        this.waiting.delete(caller);
        this.inFlight.delete(caller);
        reject(unavailable('no barrier was answered in time'));
      }, patienceMs);
      const caller: Waiting = { answer: resolve, refuse: reject, deadline };
      this.waiting.add(caller);
      follower.requestBarrier();
    });
  }

  /** Refuses everybody who waits. */
  stop(): void {
    this.stopped = true;
    this.unlisten();
    for (const caller of [...this.waiting, ...this.inFlight]) {
      this.options.timers.clearTimeout(caller.deadline);
      caller.refuse(unavailable('this instance stops'));
    }
    this.waiting.clear();
    this.inFlight.clear();
  }

  barrierBegins(): void {
    this.inFlight = this.waiting;
    this.waiting = new Set();
  }

  revoked(): void {
    // Only barriers are waited for.
  }

  barrierAnswered(barrier: AnsweredBarrier): void {
    const answered = this.inFlight;
    this.inFlight = new Set();
    for (const { answer, deadline } of answered) {
      this.options.timers.clearTimeout(deadline);
      answer({ barrier, renewAfterMs: renewalPeriod(this.answers++) });
    }
  }

  /** Who arrived before the failed barrier has arrived before the next one too. */
  barrierFailed(): void {
    for (const caller of this.inFlight) this.waiting.add(caller);
    this.inFlight = new Set();
  }
}

const unavailable = (detail: string): CurfewError => new CurfewError('ERR_UNAVAILABLE', { detail });
