import type pg from 'pg';
import type { Position, RecordedEvent } from '#application';
import { unavailableIfConnection } from '#platform';
import { CoalescedReads } from '../coalesced-reads.js';
import { parsePosition, toPosition } from '../position.js';
import { parseSnapshot, showsTransaction, type Snapshot } from '../snapshot.js';
import { EVENT_COLUMNS, toRecordedEvent, type EventRow } from './recorded-row.js';

const NOW = 'now';

interface Queries {
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<{ rows: R[] }>;
}

/** Where the log ends and how much there is of it, for operators, views and rebuilds. Errors: ERR_UNAVAILABLE. */
export class PostgresLogMeasure {
  private readonly snapshots = new CoalescedReads(async () => new Map([[NOW, await this.snapshot()]]), {
    maxLoads: 1,
    maxKeys: 1,
  });

  /** @param pool of the primary; stays the caller's */
  constructor(private readonly pool: pg.Pool) {}

  /** The newest committed event, also one that may not be read in order yet; undefined while there is none. Cost: one row. */
  async newest(): Promise<{ readonly position: Position; readonly recordedAt: number } | undefined> {
    const row = await this.last();
    return row && { position: toPosition(row.tx, row.number), recordedAt: Number(row.recorded_at) };
  }

  /** Committed events after `position`, counted up to `most`. Cost: an index scan of as many. */
  async countAfter(position: Position, most: number): Promise<number> {
    const { tx, number } = parsePosition(position);
    const [row] = await this.rows<{ count: string }>({
      name: 'log-count-after',
      text: `select count(*) from (
        select 1 from curfew.events e where (e.tx, e.position) > ($1::xid8, $2::bigint) limit $3) counted`,
      values: [tx, number, most],
    });
    return Number(row?.count ?? 0);
  }

  /** How many events there are, by the number of the newest: rolled-back appends count too. */
  async size(): Promise<number> {
    return Number((await this.last())?.number ?? 0);
  }

  /**
   * Whether the append that a position names has committed; false for one that has not been given out. Cost: one query at a
   * time, whatever the number of those who ask.
   */
  async isCommitted(position: Position): Promise<boolean> {
    const snapshot = await this.snapshots.read(NOW);
    return snapshot !== undefined && showsTransaction(snapshot, BigInt(parsePosition(position).tx));
  }

  /**
   * Every committed event after a position, in order, as the transaction of `client` sees it: also what `readAll` holds back. It
   * skips what is under way, so it is for a caller that keeps all appends out.
   */
  async readRest(client: Queries, after: Position): Promise<readonly RecordedEvent[]> {
    const { tx, number } = parsePosition(after);
    const { rows } = await client.query<EventRow>({
      text: `select ${EVENT_COLUMNS} from curfew.events e where (e.tx, e.position) > ($1::xid8, $2::bigint)
        order by e.tx, e.position`,
      values: [tx, number],
    });
    return rows.map(toRecordedEvent);
  }

  private async snapshot(): Promise<Snapshot> {
    const [row] = await this.rows<{ snapshot: string }>({
      name: 'log-snapshot',
      text: 'select pg_current_snapshot()::text as snapshot',
      values: [],
    });
    const snapshot = row && parseSnapshot(row.snapshot);
    if (snapshot === undefined) throw new Error('the server gave no snapshot');
    return snapshot;
  }

  private async last(): Promise<{ tx: string; number: string; recorded_at: string } | undefined> {
    const [row] = await this.rows<{ tx: string; number: string; recorded_at: string }>({
      name: 'log-newest',
      text: `select e.tx::text as tx, e.position::text as number, e.metadata ->> 'recordedAt' as recorded_at
        from curfew.events e order by e.tx desc, e.position desc limit 1`,
      values: [],
    });
    return row;
  }

  private async rows<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<R[]> {
    try {
      return (await this.pool.query<R>(query)).rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}
