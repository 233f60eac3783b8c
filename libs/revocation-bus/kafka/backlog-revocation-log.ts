import type { Barrier, RevocationCursor, RevocationLog, RevocationPage } from '#application';

/**
 * A revocation log that also brings, with its first barrier, all that a stored cursor does not show: what was committed in an
 * outage that was longer than the follower looks back. Some revocations come twice.
 */
export class BacklogRevocationLog implements RevocationLog {
  constructor(
    private readonly log: RevocationLog,
    private checkpoint: RevocationCursor | undefined,
    private readonly readBacklog: (after: RevocationCursor) => Promise<RevocationPage>,
  ) {}

  async barrier(after: RevocationCursor): Promise<Barrier> {
    const { checkpoint } = this;
    if (checkpoint === undefined) return this.log.barrier(after);
    const backlog = await this.readBacklog(checkpoint);
    const barrier = await this.log.barrier(after);
    this.checkpoint = undefined;
    return { ...barrier, events: [...backlog.events, ...barrier.events] };
  }

  cursorBefore(windowMs: number): Promise<RevocationCursor> {
    return this.log.cursorBefore(windowMs);
  }

  read(after: RevocationCursor): Promise<RevocationPage> {
    return this.log.read(after);
  }

  rememberCursor(cursor: RevocationCursor, referenceTime: number, keepMs: number): Promise<void> {
    return this.log.rememberCursor(cursor, referenceTime, keepMs);
  }

  shows(cursor: RevocationCursor, mark: string): boolean {
    return this.log.shows(cursor, mark);
  }

  isCursor(text: string): boolean {
    return this.log.isCursor(text);
  }

  onAppended(wake: () => void): () => void {
    return this.log.onAppended(wake);
  }
}
