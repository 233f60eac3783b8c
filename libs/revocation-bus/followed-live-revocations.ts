import type { LiveRevocations, TokenSession } from '#application';
import { RenewalDesk, type RenewalDeskOptions } from './renewal-desk.js';
import type { RevocationFollower } from './revocation-follower.js';

/** Late is as good as never: an answer then tells how old the last barrier is, and a node's call ends after 2 s at most. */
const PATIENCE_MS = 250;

const ignore = (): void => undefined;

/** What introspection asks of an instance's own follower. */
export class FollowedLiveRevocations implements LiveRevocations {
  private readonly desk: RenewalDesk;

  constructor(
    private readonly follower: RenewalDeskOptions['follower'] & Pick<RevocationFollower, 'isRevoked'>,
    timers: RenewalDeskOptions['timers'],
  ) {
    this.desk = new RenewalDesk({ follower, timers, patienceMs: PATIENCE_MS });
  }

  isRevoked(session: TokenSession): boolean {
    return this.follower.isRevoked(session);
  }

  freshen(): Promise<void> {
    return this.desk.renew().then(ignore, ignore);
  }

  /** Who waits goes on without a barrier. */
  stop(): void {
    this.desk.stop();
  }
}
