import { Command } from '@nestjs/cqrs';

export interface SweptSessions {
  /** Ends put on record. */
  readonly expired: number;
  /** Sessions that could not be loaded or ended; they are looked at again in the next round. */
  readonly failed: number;
  /** Where to go on; '' when the round is complete. */
  readonly next: string;
}

/**
 * One step of the sweeper: puts `session.expired` on record for sessions whose timeouts have passed. Bounded. For the record
 * only: expiry is checked at every use, and nothing changes while the sweeper is off. Not reachable from outside.
 */
export class ExpireSessions extends Command<SweptSessions> {
  /** @param after the `next` of the step before; '' for the begin */
  constructor(readonly after: string) {
    super();
  }
}
