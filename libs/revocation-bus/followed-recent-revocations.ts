import type { RecentRevocation, RecentRevocations } from '#application';
import type { RenewalDesk } from './renewal-desk.js';
import type { RevocationMemory } from './revocation-memory.js';
import type { Timers } from './timers.js';

/** The follower's memory, asked by id; made sure of by a barrier. */
export class FollowedRecentRevocations implements RecentRevocations {
  constructor(
    private readonly memory: RevocationMemory,
    private readonly desk: Pick<RenewalDesk, 'renew'>,
    private readonly timers: Pick<Timers, 'monotonic'>,
  ) {}

  find(id: string): RecentRevocation | undefined {
    const found = this.memory.find(id);
    if (!found?.recorded) return undefined;
    const { message, mark, recorded } = found;
    return {
      message: message.revocation,
      mark,
      recordedAt: recorded.at,
      knownForMs: () => this.timers.monotonic() - recorded.readAt,
    };
  }

  async refresh(): Promise<void> {
    await this.desk.renew();
  }
}
