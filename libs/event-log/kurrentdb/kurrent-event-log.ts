import type {
  EventLog,
  LogPage,
  Position,
  RecordedEvent,
  StreamAppend,
  StreamSlice,
  StreamSnapshot,
  StreamTail,
  SubscriptionMessage,
} from '#application';
import type { OnAlarm } from '../alarm.js';
import { CoalescedReads } from '../coalesced-reads.js';
import { BookkeepingStream } from './bookkeeping.js';
import { KurrentAppender } from './kurrent-appender.js';
import { KurrentConnection } from './kurrent-connection.js';
import { subscribeToLog } from './log-subscription.js';
import { endOfAll, LOG_EVENTS, readAllAfter, readEvents, readNewest, SCAN_MS } from './reads.js';
import { toRecordedEvent } from './recorded-event.js';

/** Where snapshots are kept: `PostgresSnapshots`. They are a shortcut, so they need not be beside the log. */
export interface Snapshots {
  /** The kept snapshots of that format; a stream without one is missing in the answer. */
  load(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamSnapshot>>;
  /** In the background; may be lost. */
  keep(snapshot: StreamSnapshot): void;
  /** Deletes one that is ahead of its stream, before the stream can grow past it. */
  discard(snapshot: Omit<StreamSnapshot, 'state'>): Promise<void>;
}

export interface KurrentEventLogOptions {
  /** KurrentDB's connection string. The database must hold nothing but Curfew's log. */
  readonly url: string;
  readonly snapshots: Snapshots;
  readonly onAlarm?: OnAlarm;
}

/** Newest events of a stream that are read together with its snapshot. More than come between two snapshots. */
const TAIL_EVENTS = 16;

/**
 * The log on KurrentDB 25.1 or later (DESIGN §8). Connects when it is first used; appends, reads and subscriptions have
 * connections of their own. Reads are on the leader. An append is given up after about 2.5 s, a read after 1.5 s without an
 * answer: ERR_UNAVAILABLE. A server without atomic appends to several streams: ERR_LOG_STORE_REFUSED.
 */
export class KurrentEventLog implements EventLog {
  private readonly appends: KurrentConnection;
  private readonly reads: KurrentConnection;
  /** Of the whole log, which may take long: commands do not wait behind them. */
  private readonly scans: KurrentConnection;
  private readonly subscriptions: KurrentConnection;
  private readonly appender: KurrentAppender;
  private readonly confirmations: CoalescedReads<true>;
  private readonly closing = new AbortController();

  constructor(private readonly options: KurrentEventLogOptions) {
    this.appends = new KurrentConnection(options.url, 'curfew-appends');
    this.reads = new KurrentConnection(options.url, 'curfew-reads');
    this.scans = new KurrentConnection(options.url, 'curfew-scans');
    this.subscriptions = new KurrentConnection(options.url, 'curfew-subscriptions');
    this.appender = new KurrentAppender(this.appends, this.reads);
    const stream = new BookkeepingStream(this.appends, 'curfew.confirmations', '~confirmed');
    // What asks while a write is under way shares the next one.
    this.confirmations = new CoalescedReads(
      async ([key = '']) => {
        await stream.append();
        return new Map([[key, true]]);
      },
      { maxLoads: 1, maxKeys: 1 },
    );
  }

  append(appends: readonly StreamAppend[]): Promise<Position> {
    return this.appender.append(appends);
  }

  async confirm(): Promise<void> {
    await this.confirmations.read('confirmation');
  }

  async readStream(stream: string, options: { from?: number; max?: number } = {}): Promise<StreamSlice> {
    const { from = 0, max } = options;
    const newest = (): Promise<RecordedEvent[]> =>
      readEvents(this.reads, stream, { backwards: true, max: 1 });
    const [events, [head]] = await Promise.all([
      readEvents(this.reads, stream, { from, ...(max !== undefined && { max }) }),
      // Without them the last event of the slice is the stream's.
      from > 0 || max !== undefined ? newest() : [],
    ]);
    const last = events.at(-1);
    const headRevision = head?.revision ?? -1;
    if (max !== undefined && events.length >= max) {
      return { events, revision: Math.max(headRevision, last?.revision ?? -1) };
    }
    // The slice reached the end; what the other read saw after that is not part of it.
    return { events, revision: last?.revision ?? Math.min(headRevision, from - 1) };
  }

  async readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamSlice>> {
    const slices = await Promise.all(streams.map((stream) => this.readStream(stream)));
    return new Map(streams.map((stream, i) => [stream, slices[i]!]));
  }

  async readTails(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamTail>> {
    const [snapshots, ...newest] = await Promise.all([
      this.options.snapshots.load(streams, format),
      ...streams.map((stream) =>
        readEvents(this.reads, stream, { backwards: true, max: TAIL_EVENTS }).then((found) =>
          found.reverse(),
        ),
      ),
    ]);
    const tails = await Promise.all(
      streams.map((stream, i) => this.tail(stream, snapshots.get(stream), newest[i]!)),
    );
    return new Map(streams.map((stream, i) => [stream, tails[i]!]));
  }

  keepSnapshot(snapshot: StreamSnapshot): void {
    this.options.snapshots.keep(snapshot);
  }

  async readAll(after: Position, max: number): Promise<LogPage> {
    // A scan may be silent for long; whether the store answers at all is known at once.
    const [found] = await Promise.all([
      readAllAfter(this.scans, after, max, LOG_EVENTS, SCAN_MS),
      endOfAll(this.scans),
    ]);
    const events = found.map(toRecordedEvent);
    return { events, position: events.at(-1)?.position ?? after, caughtUp: events.length < max };
  }

  /** The newest events of the log, newest first. Cost: what the server must look through to find so many. */
  async readNewest(max: number): Promise<readonly RecordedEvent[]> {
    const [found] = await Promise.all([readNewest(this.scans, max, LOG_EVENTS), endOfAll(this.scans)]);
    return found.map(toRecordedEvent);
  }

  /** Where the store ends, whatever stands there: no event of the log that is committed now is behind it. */
  async end(): Promise<Position> {
    return (await endOfAll(this.scans)) ?? '';
  }

  subscribe(after: Position, signal: AbortSignal): AsyncIterable<SubscriptionMessage> {
    const ended = AbortSignal.any([signal, this.closing.signal]);
    return subscribeToLog({ subscriptions: this.subscriptions, reads: this.reads }, after, ended);
  }

  /** Ends subscriptions; appends that are under way fail. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all(
      [this.appends, this.reads, this.scans, this.subscriptions].map((connection) => connection.close()),
    );
  }

  /** @param newest the stream's last events, oldest first; all of them if they are fewer than were asked for */
  private async tail(
    stream: string,
    snapshot: StreamSnapshot | undefined,
    newest: readonly RecordedEvent[],
  ): Promise<StreamTail> {
    const revision = newest.at(-1)?.revision ?? -1;
    if (snapshot !== undefined && snapshot.revision > revision) return this.aheadTail(snapshot, newest);
    const from = (snapshot?.revision ?? -1) + 1;
    const known = newest.filter((event) => event.revision >= from);
    const missing = (newest[0]?.revision ?? from) - from;
    const earlier = missing > 0 ? await readEvents(this.reads, stream, { from, max: missing }) : [];
    return { events: [...earlier, ...known], revision, ...(snapshot && { snapshot }) };
  }

  /** The two reads are not of one instant: the stream may have grown, and its snapshot with it, after it was read. */
  private async aheadTail(snapshot: StreamSnapshot, newest: readonly RecordedEvent[]): Promise<StreamTail> {
    const { stream } = snapshot;
    const again = await readEvents(this.reads, stream, { backwards: true, max: TAIL_EVENTS });
    const revision = again[0]?.revision ?? -1;
    if (snapshot.revision <= revision) return this.tail(stream, snapshot, again.reverse());
    await this.options.snapshots.discard(snapshot);
    this.options.onAlarm?.({
      kind: 'snapshot-ahead',
      stream,
      snapshotRevision: snapshot.revision,
      revision,
    });
    return this.tail(stream, undefined, newest);
  }
}
