import {
  ConcurrencyConflict,
  type EventLog,
  type LogPage,
  type NewEvent,
  type Position,
  type RecordedEvent,
  type StreamAppend,
  type StreamSlice,
  type StreamSnapshot,
  type StreamTail,
  type SubscriptionMessage,
} from '#application';
import type { OnAlarm } from '../alarm.js';
import { parsePosition, toPosition } from '../position.js';
import type { Snapshot } from '../snapshot.js';
import { assertWellFormed, storableJson } from '../storable-append.js';
import { subscribeByReading } from '../subscription.js';

export interface CommittedEvent {
  readonly tx: bigint;
  readonly event: RecordedEvent;
}

/** A transaction that took its id and has not committed: everything in order waits behind it, and revocations do not. */
export interface OpenTransaction {
  append(appends: readonly StreamAppend[]): Position;
  commit(): void;
}

/** The log in memory, for tests, with the transactions of the PostgreSQL adapter: passes the same contract. */
export class MemoryEventLog implements EventLog {
  /** In the order of their positions. */
  private readonly committed: CommittedEvent[] = [];
  private readonly streams = new Map<string, RecordedEvent[]>();
  private readonly open = new Set<bigint>();
  private readonly listeners = new Set<() => void>();
  private readonly snapshots = new Map<string, StreamSnapshot>();
  private nextTx = 1n;
  private nextNumber = 1n;

  constructor(private readonly onAlarm: OnAlarm = () => undefined) {}

  append(appends: readonly StreamAppend[]): Promise<Position> {
    return promised(() => {
      const transaction = this.begin();
      try {
        return transaction.append(appends);
      } finally {
        transaction.commit();
      }
    });
  }

  confirm(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * For tests of what must hold while a transaction is late. Its appends are checked against what is committed, so it must
   * not share streams with others while it is open.
   */
  begin(): OpenTransaction {
    const tx = this.nextTx++;
    this.open.add(tx);
    const written: RecordedEvent[] = [];
    return {
      append: (appends) => {
        assertWellFormed(appends);
        const copies = JSON.parse(storableJson(appends)) as readonly StreamAppend[];
        const repeated = this.alreadyAppended(copies);
        if (repeated !== undefined) return repeated;
        for (const { stream, expectedRevision } of copies) {
          const actual = this.streamEvents(stream).length - 1;
          if (actual !== expectedRevision) throw new ConcurrencyConflict(stream, expectedRevision, actual);
        }
        const events = copies.flatMap((copy) => this.numbered(tx, copy));
        written.push(...events);
        return events.at(-1)!.position;
      },
      commit: () => {
        if (!this.open.delete(tx)) return;
        this.publish(tx, written);
      },
    };
  }

  readStream(stream: string, options: { from?: number; max?: number } = {}): Promise<StreamSlice> {
    return promised(() => {
      const { from = 0, max = Infinity } = options;
      const events = this.streamEvents(stream);
      return { events: copied(events.slice(from, from + max)), revision: events.length - 1 };
    });
  }

  readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamSlice>> {
    return promised(
      () =>
        new Map(
          streams.map((stream) => {
            const events = this.streamEvents(stream);
            return [stream, { events: copied(events), revision: events.length - 1 }];
          }),
        ),
    );
  }

  readTails(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamTail>> {
    return promised(() => new Map(streams.map((stream) => [stream, this.tail(stream, format)])));
  }

  keepSnapshot(snapshot: StreamSnapshot): void {
    const kept = this.snapshots.get(snapshot.stream);
    if (kept?.format === snapshot.format && kept.revision >= snapshot.revision) return;
    this.snapshots.set(snapshot.stream, structuredClone(snapshot));
  }

  readAll(after: Position, max: number): Promise<LogPage> {
    return promised(() => {
      const { tx, number } = parsePosition(after);
      const from = toPosition(tx, number);
      const { xmin } = this.snapshot();
      const start = this.committed.findLastIndex(({ event }) => event.position <= from) + 1;
      const events: RecordedEvent[] = [];
      for (let i = start; i < this.committed.length && events.length < max; i += 1) {
        const { tx: committedTx, event } = this.committed[i]!;
        if (committedTx >= xmin) break;
        events.push(event);
      }
      return {
        events: copied(events),
        position: events.at(-1)?.position ?? after,
        caughtUp: events.length < max,
      };
    });
  }

  subscribe(after: Position, signal: AbortSignal): AsyncIterable<SubscriptionMessage> {
    const source = {
      readAll: (position: Position, max: number) => this.readAll(position, max),
      onAppended: (wake: () => void) => this.onCommitted(wake),
    };
    return subscribeByReading(source, after, signal);
  }

  /** Which transactions have committed, as PostgreSQL's `pg_current_snapshot()`. */
  snapshot(): Snapshot {
    const xip = [...this.open];
    return { xmin: xip[0] ?? this.nextTx, xmax: this.nextTx, xip };
  }

  /** Every committed event, also beyond open transactions. */
  committedEvents(): readonly CommittedEvent[] {
    return this.committed;
  }

  /** Takes a transaction id, as every write does. */
  tick(): bigint {
    return this.nextTx++;
  }

  onCommitted(wake: () => void): () => void {
    const listener = (): void => wake();
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private streamEvents(stream: string): readonly RecordedEvent[] {
    return this.streams.get(stream) ?? [];
  }

  private tail(stream: string, format: string): StreamTail {
    const events = this.streamEvents(stream);
    const revision = events.length - 1;
    const snapshot = this.snapshots.get(stream);
    if (snapshot?.format !== format) return { events: copied(events), revision };
    if (snapshot.revision > revision) {
      this.snapshots.delete(stream);
      this.onAlarm({ kind: 'snapshot-ahead', stream, snapshotRevision: snapshot.revision, revision });
      return { events: copied(events), revision };
    }
    return {
      events: copied(events.slice(snapshot.revision + 1)),
      revision,
      snapshot: structuredClone(snapshot),
    };
  }

  private alreadyAppended(appends: readonly StreamAppend[]): Position | undefined {
    let last: Position = '';
    for (const { stream, expectedRevision, events } of appends) {
      const recorded = this.streamEvents(stream).slice(
        expectedRevision + 1,
        expectedRevision + 1 + events.length,
      );
      if (recorded.length < events.length || !recorded.every(({ id }, i) => id === events[i]!.id))
        return undefined;
      for (const { position } of recorded) if (position > last) last = position;
    }
    return last;
  }

  private numbered(tx: bigint, { stream, expectedRevision, events }: StreamAppend): RecordedEvent[] {
    return events.map((event: NewEvent, i) => ({
      ...event,
      stream,
      revision: expectedRevision + 1 + i,
      position: toPosition(tx.toString(), (this.nextNumber++).toString()),
    }));
  }

  private publish(tx: bigint, events: readonly RecordedEvent[]): void {
    for (const event of events) {
      const stream = this.streams.get(event.stream);
      if (stream === undefined) this.streams.set(event.stream, [event]);
      else stream.push(event);
    }
    const at = this.committed.findLastIndex((committed) => committed.tx < tx) + 1;
    this.committed.splice(at, 0, ...events.map((event) => ({ tx, event })));
    for (const listener of [...this.listeners]) listener();
  }
}

const copied = (events: readonly RecordedEvent[]): RecordedEvent[] =>
  events.map((event) => structuredClone(event));

/** What throws rejects, and nothing is answered in the caller's own turn. */
async function promised<T>(work: () => T): Promise<T> {
  const result = work();
  await Promise.resolve();
  return result;
}
