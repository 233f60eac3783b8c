import type { Barrier, RevocationCursor, RevocationLog, RevocationPage } from '#application';
import { REVOCATION_EVENT_TYPES } from '#domain';
import {
  BEGINNING,
  parseCursor,
  parseSnapshot,
  showsTransaction,
  snapshotText,
  upTo,
  type Snapshot,
} from '../snapshot.js';
import type { MemoryEventLog } from './memory-event-log.js';

const REVOCATIONS: ReadonlySet<string> = new Set(REVOCATION_EVENT_TYPES);

/** What all instances share: one barrier row, one table of cursors. */
export class MemoryBarriers {
  n = 0n;
  clock = 0;
  cursors: { readonly takenAt: number; readonly cursor: RevocationCursor }[] = [];
}

/** The revocations of a `MemoryEventLog`, for tests. Instances on one log share a `MemoryBarriers`. */
export class MemoryRevocationLog implements RevocationLog {
  private busy = false;

  constructor(
    private readonly log: MemoryEventLog,
    private readonly shared: MemoryBarriers = new MemoryBarriers(),
    /** The store's clock, milliseconds. */
    private readonly clock: () => number = () => Date.now(),
  ) {}

  cursorBefore(windowMs: number): Promise<RevocationCursor> {
    const newest = this.shared.cursors
      .filter(({ takenAt }) => takenAt <= this.shared.clock - windowMs)
      .at(-1);
    return Promise.resolve(newest?.cursor ?? BEGINNING);
  }

  read(after: RevocationCursor): Promise<RevocationPage> {
    return this.alone(() => this.revocationsAfter(parseCursor(after)));
  }

  barrier(after: RevocationCursor): Promise<Barrier> {
    return this.alone(() => {
      const from = parseCursor(after);
      const tx = this.log.tick();
      this.shared.n += 1n;
      this.shared.clock = Math.max(this.shared.clock, Math.floor(this.clock()));
      const page = this.revocationsAfter(from);
      const cursor = snapshotText(upTo(parseCursor(page.cursor), tx));
      return { n: this.shared.n, referenceTime: this.shared.clock, events: page.events, cursor };
    });
  }

  rememberCursor(cursor: RevocationCursor, referenceTime: number, keepMs: number): Promise<void> {
    const takenAt = Math.floor(referenceTime);
    const { cursors } = this.shared;
    if (!cursors.some((stored) => stored.takenAt === takenAt)) cursors.push({ takenAt, cursor });
    cursors.sort((a, b) => a.takenAt - b.takenAt);
    const needed = cursors.findLastIndex((stored) => stored.takenAt <= takenAt - keepMs);
    if (needed > 0) cursors.splice(0, needed);
    return Promise.resolve();
  }

  shows(cursor: RevocationCursor, mark: string): boolean {
    return showsTransaction(parseCursor(cursor), BigInt(mark));
  }

  isCursor(text: string): boolean {
    return parseSnapshot(text) !== undefined;
  }

  onAppended(wake: () => void): () => void {
    return this.log.onCommitted(wake);
  }

  private revocationsAfter(after: Snapshot): RevocationPage {
    const events = this.log
      .committedEvents()
      .filter(({ tx, event }) => REVOCATIONS.has(event.type) && !showsTransaction(after, tx))
      .map(({ tx, event }) => ({ event: structuredClone(event), mark: tx.toString() }));
    return { events, cursor: snapshotText(this.log.snapshot()) };
  }

  private async alone<T>(work: () => T): Promise<T> {
    if (this.busy) throw new Error('a revocation log has one serial reader: calls must not overlap');
    this.busy = true;
    try {
      await Promise.resolve();
      return work();
    } finally {
      this.busy = false;
    }
  }
}
