import type { Barrier, RevocationCursor, RevocationLog, RevocationPage } from '#application';
import { upcast } from '#contracts';

/**
 * A revocation log whose events come as the current version, whatever version was stored. Errors: besides the log's own, Error
 * for a stored event that this version of Curfew cannot read: then no barrier is answered, and the nodes' leases run out.
 */
export class CheckedRevocationLog implements RevocationLog {
  constructor(private readonly log: RevocationLog) {}

  cursorBefore(windowMs: number): Promise<RevocationCursor> {
    return this.log.cursorBefore(windowMs);
  }

  async read(after: RevocationCursor): Promise<RevocationPage> {
    return upcastPage(await this.log.read(after));
  }

  async barrier(after: RevocationCursor): Promise<Barrier> {
    return upcastPage(await this.log.barrier(after));
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

const upcastPage = <P extends RevocationPage>(page: P): P => ({
  ...page,
  events: page.events.map((revocation) => ({ ...revocation, event: upcast(revocation.event) })),
});
