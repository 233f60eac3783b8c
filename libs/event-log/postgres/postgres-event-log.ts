import type pg from 'pg';
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
import { REVOCATION_EVENT_TYPES } from '#domain';
import { DedicatedConnection, isStorableText, unavailableIfConnection } from '#platform';
import type { OnAlarm } from '../alarm.js';
import { CoalescedReads } from '../coalesced-reads.js';
import { GroupCommit } from '../group-commit.js';
import { parsePosition } from '../position.js';
import { subscribeByReading } from '../subscription.js';
import { encodeAppend, type EncodedAppend, type InlineProjection } from './append-batch.js';
import type { AppendSignals, Signal } from './append-signals.js';
import { PostgresSnapshots } from './postgres-snapshots.js';
import { EVENT_COLUMNS, toRecordedEvent, type EventRow } from './recorded-row.js';
import { StreamTails } from './stream-tails.js';
import { writerLane } from './writer-lane.js';

export interface PostgresEventLogOptions {
  /** Of the primary. */
  readonly url: string;
  /** For reads, of the same server. Stays the caller's: `close` does not end it. */
  readonly pool: pg.Pool;
  /** Shared with the process's `PostgresRevocationLog`. Stays the caller's. */
  readonly signals: AppendSignals;
  /** Changes of views, applied in the append's own statement. None unless set. */
  readonly projection?: InlineProjection;
  /** Connections that write. 2 unless set. */
  readonly lanes?: number;
  /** Told of what an operator must look at. */
  readonly onAlarm?: OnAlarm;
}

const BATCH_LIMITS = { maxAppends: 256, maxBytes: 2_000_000, maxWaitMs: 2_000 };
const READ_LIMITS = { maxLoads: 4, maxKeys: 128 };
const STATEMENT_TIMEOUT_MS = 2_000;
const LARGEST_INT = 2 ** 31 - 1;

const REVOCATIONS: ReadonlySet<string> = new Set(REVOCATION_EVENT_TYPES);

/**
 * The log on PostgreSQL (DESIGN §8). Needs `eventLogMigrations`. Opens its connections when they are first used. An append
 * that cannot be sent within 2 s, or is not answered within 2.5 s, fails with ERR_UNAVAILABLE.
 */
export class PostgresEventLog implements EventLog {
  private readonly connections: readonly DedicatedConnection[];
  private readonly writer: GroupCommit<EncodedAppend, Position>;
  private readonly projection: InlineProjection;
  private readonly wholeStreams = new CoalescedReads((streams) => this.slices(streams, 0, null), READ_LIMITS);
  private readonly snapshots: PostgresSnapshots;
  private readonly tails: StreamTails;
  private readonly closing = new AbortController();
  private lastAppendId = 0;

  constructor(private readonly options: PostgresEventLogOptions) {
    this.projection = options.projection ?? (() => []);
    this.connections = Array.from(
      { length: options.lanes ?? 2 },
      () =>
        new DedicatedConnection(options.url, {
          applicationName: 'curfew-writer',
          statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        }),
    );
    this.writer = new GroupCommit(this.connections.map(writerLane), BATCH_LIMITS);
    this.snapshots = new PostgresSnapshots(options.pool);
    this.tails = new StreamTails(
      (query) => this.query(query),
      this.snapshots,
      (alarm) => options.onAlarm?.(alarm),
    );
  }

  async append(appends: readonly StreamAppend[]): Promise<Position> {
    this.lastAppendId = (this.lastAppendId + 1) % LARGEST_INT;
    const position = await this.writer.append(encodeAppend(this.lastAppendId, appends, this.projection));
    this.options.signals.announce(signalsOf(appends));
    return position;
  }

  async confirm(): Promise<void> {
    const [connection] = this.connections;
    // The barrier's row is there to be written; its commit stands behind the commits of all that was visible.
    await connection?.durable({ name: 'confirm', text: 'update curfew.barrier set n = n + 1', values: [] });
  }

  async readStream(stream: string, options: { from?: number; max?: number } = {}): Promise<StreamSlice> {
    const { from = 0, max = null } = options;
    if (from === 0 && max === null) return (await this.wholeStreams.read(stream)) ?? NO_STREAM;
    return (await this.slices([stream], from, max)).get(stream) ?? NO_STREAM;
  }

  async readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamSlice>> {
    const slices = await this.slices(streams, 0, null);
    return new Map(streams.map((stream) => [stream, slices.get(stream) ?? NO_STREAM]));
  }

  readTails(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamTail>> {
    return this.tails.read(streams, format);
  }

  keepSnapshot(snapshot: StreamSnapshot): void {
    this.snapshots.keep(snapshot);
  }

  async readAll(after: Position, max: number): Promise<LogPage> {
    const { tx, number } = parsePosition(after);
    const rows = await this.query<EventRow>({
      name: 'read-all',
      // Qualified columns: an alias of the text would sort "10" before "9".
      text: `select ${EVENT_COLUMNS} from curfew.events e
        where (e.tx, e.position) > ($1::xid8, $2::bigint) and e.tx < pg_snapshot_xmin(pg_current_snapshot())
        order by e.tx, e.position limit $3`,
      values: [tx, number, max],
    });
    const events = rows.map(toRecordedEvent);
    return { events, position: events.at(-1)?.position ?? after, caughtUp: events.length < max };
  }

  subscribe(after: Position, signal: AbortSignal): AsyncIterable<SubscriptionMessage> {
    const source = {
      readAll: (position: Position, max: number) => this.readAll(position, max),
      onAppended: (wake: () => void) => this.options.signals.on('appended', wake),
    };
    return subscribeByReading(source, after, AbortSignal.any([signal, this.closing.signal]));
  }

  /** Ends subscriptions and the writing connections; appends that are under way fail. Writes the snapshots that wait. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all([this.snapshots.close(), ...this.connections.map((connection) => connection.close())]);
  }

  /** Heads and events in one snapshot, so that a slice never ends behind the revision it names. */
  private async slices(
    streams: readonly string[],
    from: number,
    max: number | null,
  ): Promise<Map<string, StreamSlice>> {
    const known = streams.filter(isStorableText);
    const rows = await this.query<{ head_stream: string; head: number } & (EventRow | { revision: null })>({
      name: 'read-streams',
      text: `select h.stream as head_stream, h.revision as head, e.*
        from curfew.streams h left join lateral (
          select ${EVENT_COLUMNS} from curfew.events e
          where e.stream = h.stream and e.revision >= $2 order by e.revision limit $3
        ) e on true
        where h.stream = any ($1::text[]) order by h.stream, e.revision`,
      values: [known, from, max],
    });
    const slices = new Map<string, StreamSlice & { events: RecordedEvent[] }>();
    for (const row of rows) {
      let slice = slices.get(row.head_stream);
      if (slice === undefined) slices.set(row.head_stream, (slice = { events: [], revision: row.head }));
      if (row.revision !== null) slice.events.push(toRecordedEvent(row));
    }
    return slices;
  }

  private async query<R extends pg.QueryResultRow>(query: pg.QueryConfig<unknown[]>): Promise<R[]> {
    try {
      return (await this.options.pool.query<R>(query)).rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

const NO_STREAM: StreamSlice = { events: [], revision: -1 };

function signalsOf(appends: readonly StreamAppend[]): Signal[] {
  const revokes = appends.some(({ events }) => events.some(({ type }) => REVOCATIONS.has(type)));
  return revokes ? ['appended', 'revoked'] : ['appended'];
}
