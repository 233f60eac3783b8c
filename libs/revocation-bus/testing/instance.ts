import type { RevocationLog } from '#application';
import { BarrierReferenceClock } from '../barrier-reference-clock.js';
import { RevocationFollower } from '../revocation-follower.js';
import type { Timers } from '../timers.js';
import { WatchHub } from '../watch-hub.js';

export const MAX_ACCESS_TTL = 900_000;

/** Clock, follower and hub, put together as the service does. */
export class Instance {
  readonly clock: BarrierReferenceClock;
  readonly follower: RevocationFollower;
  readonly hub: WatchHub;

  constructor(log: RevocationLog, timers: Timers) {
    this.clock = new BarrierReferenceClock(timers);
    this.follower = new RevocationFollower({ log, clock: this.clock, timers, maxAccessTtl: MAX_ACCESS_TTL });
    this.hub = new WatchHub({ follower: this.follower, log, timers, maxAccessTtl: MAX_ACCESS_TTL });
  }

  async stop(): Promise<void> {
    this.hub.stop();
    await this.follower.stop();
  }
}
