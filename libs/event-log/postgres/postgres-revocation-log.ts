import type { Barrier, RevocationCursor, RevocationEvent, RevocationLog, RevocationPage } from '#application';
import { REVOCATION_EVENT_TYPES } from '#domain';
import { DedicatedConnection, transactionTimeout, type Session } from '#platform';
import {
  BEGINNING,
  parseCursor,
  parseSnapshot,
  showsTransaction,
  snapshotText,
  upTo,
  type Snapshot,
} from '../snapshot.js';
import type { AppendSignals } from './append-signals.js';
import { EVENT_COLUMNS, toRecordedEvent, type EventRow } from './recorded-row.js';

export interface PostgresRevocationLogOptions {
  /** Of the primary. */
  readonly url: string;
  /** Shared with the process's `PostgresEventLog`. Stays the caller's. */
  readonly signals: AppendSignals;
  /** Milliseconds after which a statement is cancelled; half a second later the connection is given up. 1,000 unless set. */
  readonly statementTimeoutMs?: number;
  /** To read on instead of a connection of its own. Stays the caller's, and must never be opened again after it was lost. */
  readonly connection?: DedicatedConnection;
}

/** Of a read that may bring the revocations of days. */
const BACKLOG_TIMEOUT_MS = 120_000;
/** Of a `DedicatedConnection`. */
const USUAL_TRANSACTION_MS = 5_000;

const BARRIER = {
  name: 'barrier',
  text: `update curfew.barrier set n = n + 1, clock = greatest(clock, clock_timestamp())
    returning n::text as n, floor(extract(epoch from clock) * 1000)::text as reference_time,
      pg_current_xact_id()::text as tx`,
};

/** The types stand in the text, where the planner can match them with the partial index `events_revocations`. */
const REVOCATIONS = `select ${EVENT_COLUMNS} from curfew.events e
  where e.type in (${REVOCATION_EVENT_TYPES.map((type) => `'${type}'`).join(', ')})`;

/** Two branches, each with an index condition of its own: a plan for one filter with OR may read the whole index. */
export const READ_REVOCATIONS = `
  select s.snapshot, e.*
  from (select pg_current_snapshot()::text as snapshot) s left join lateral (
    ${REVOCATIONS} and e.tx = any (array(select pg_snapshot_xip($1::pg_snapshot)))
    union all
    ${REVOCATIONS} and e.tx >= pg_snapshot_xmax($1::pg_snapshot)
  ) e on true`;

type ReadRow = { readonly snapshot: string } & (EventRow | { readonly tx_text: null });

const TIMEOUT = `select current_setting('statement_timeout') as statement_timeout`;

const patience = (statementTimeout: string, transactionMs: number) => ({
  text: `select set_config('statement_timeout', $1, false), ${transactionTimeout(transactionMs)}`,
  values: [statementTimeout],
});

interface Reading {
  readonly snapshot: Snapshot;
  readonly events: readonly RevocationEvent[];
}

/**
 * The revocation follower's view of the log on PostgreSQL (DESIGN §6). A cursor is a snapshot (its text), so no commit is lost
 * to an older transaction; a read with it takes what the snapshot had not shown. Needs `eventLogMigrations`. One connection of
 * its own: load on the API does not delay barriers.
 *
 * Transaction ids that no durable record holds come back after a crash or a failover. So a cursor claims nothing beyond a
 * transaction known to be durable (a barrier's own; between barriers, the newest event seen), and after every reconnect
 * this reader goes back to the cursor of its last barrier: some events come again, none is lost.
 */
export class PostgresRevocationLog implements RevocationLog {
  private readonly connection: DedicatedConnection;
  private busy = false;
  private barrierCursor: Snapshot | undefined;
  private reconnected = false;

  constructor(private readonly options: PostgresRevocationLogOptions) {
    this.connection = options.connection ?? this.own(options);
  }

  async cursorBefore(windowMs: number): Promise<RevocationCursor> {
    // The last barrier's clock, never ahead of reference time: the cursor is rather too old than too new.
    const { rows } = await this.connection.query<{ snapshot: string }>({
      name: 'cursor-before',
      text: `select c.snapshot::text as snapshot from curfew.revocation_cursors c
        where c.taken_at <= (select floor(extract(epoch from clock) * 1000) from curfew.barrier) - $1
        order by c.taken_at desc limit 1`,
      values: [windowMs],
    });
    return rows[0]?.snapshot ?? BEGINNING;
  }

  async read(after: RevocationCursor): Promise<RevocationPage> {
    return this.alone(async (session) => {
      const from = this.trusted(parseCursor(after));
      const { snapshot, events } = await revocationsAfter(session, from);
      this.reconnected = false;
      const newest = events.reduce((tx, { mark }) => (BigInt(mark) > tx ? BigInt(mark) : tx), from.xmax - 1n);
      return { events, cursor: snapshotText(upTo(snapshot, newest)) };
    });
  }

  /** As `read`, and may take two minutes: for a cursor that may be days old. In memory at once. */
  async readBacklog(after: RevocationCursor): Promise<RevocationPage> {
    return this.alone(async (session) => {
      const usual = await session.query<{ statement_timeout: string }>({ text: TIMEOUT });
      await session.query(patience(`${BACKLOG_TIMEOUT_MS}ms`, BACKLOG_TIMEOUT_MS));
      try {
        const { snapshot, events } = await revocationsAfter(session, parseCursor(after), BACKLOG_TIMEOUT_MS);
        return { events, cursor: snapshotText(snapshot) };
      } finally {
        await session.query(patience(usual.rows[0]?.statement_timeout ?? '1s', USUAL_TRANSACTION_MS));
      }
    });
  }

  async barrier(after: RevocationCursor): Promise<Barrier> {
    return this.alone(async (session) => {
      const from = this.trusted(parseCursor(after));
      const { rows } = await session.durable<{ n: string; reference_time: string; tx: string }>(BARRIER);
      const barrier = rows[0];
      if (barrier === undefined) throw new Error('the barrier row is missing');
      const { snapshot, events } = await revocationsAfter(session, from);
      this.reconnected = false;
      this.barrierCursor = upTo(snapshot, BigInt(barrier.tx));
      return {
        n: BigInt(barrier.n),
        referenceTime: Number(barrier.reference_time),
        events,
        cursor: snapshotText(this.barrierCursor),
      };
    });
  }

  /** `referenceTime`: when the cursor had been taken at the latest; a later time is the safe error. */
  async rememberCursor(cursor: RevocationCursor, referenceTime: number, keepMs: number): Promise<void> {
    await this.connection.query({
      name: 'remember-cursor',
      text: `with remembered as (
          insert into curfew.revocation_cursors (taken_at, snapshot) values ($1, $2::pg_snapshot) on conflict do nothing
        )
        delete from curfew.revocation_cursors where taken_at <
          (select max(taken_at) from curfew.revocation_cursors where taken_at <= $1 - $3)`,
      values: [Math.floor(referenceTime), snapshotText(parseCursor(cursor)), Math.ceil(keepMs)],
    });
  }

  shows(cursor: RevocationCursor, mark: string): boolean {
    return showsTransaction(parseCursor(cursor), BigInt(mark));
  }

  isCursor(text: string): boolean {
    return parseSnapshot(text) !== undefined;
  }

  onAppended(wake: () => void): () => void {
    return this.options.signals.on('revoked', wake);
  }

  async close(): Promise<void> {
    if (this.options.connection === undefined) await this.connection.close();
  }

  private own({ url, statementTimeoutMs = 1_000 }: PostgresRevocationLogOptions): DedicatedConnection {
    return new DedicatedConnection(url, {
      applicationName: 'curfew-revocations',
      statementTimeoutMs,
      connectTimeoutMs: statementTimeoutMs,
      onConnect: () => {
        this.reconnected = true;
        return Promise.resolve();
      },
    });
  }

  private trusted(after: Snapshot): Snapshot {
    const { barrierCursor } = this;
    return this.reconnected && barrierCursor !== undefined && barrierCursor.xmax < after.xmax
      ? barrierCursor
      : after;
  }

  /** Overlapping reads would mark as seen what one of them has not delivered yet. */
  private async alone<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.busy) throw new Error('a revocation log has one serial reader: calls must not overlap');
    this.busy = true;
    try {
      return await this.connection.session(work);
    } finally {
      this.busy = false;
    }
  }
}

/** @param patienceMs how long this process waits; the server has its own setting */
async function revocationsAfter(session: Session, after: Snapshot, patienceMs?: number): Promise<Reading> {
  const { rows } = await session.query<ReadRow>({
    name: 'read-revocations',
    text: READ_REVOCATIONS,
    values: [snapshotText(after)],
    ...(patienceMs === undefined ? {} : { query_timeout: patienceMs }),
  });
  const snapshot = rows[0] && parseSnapshot(rows[0].snapshot);
  if (snapshot === undefined) throw new Error('the server gave no snapshot');
  const events = rows.flatMap((row) =>
    row.tx_text === null ? [] : [{ event: toRecordedEvent(row), mark: row.tx_text }],
  );
  return { snapshot, events };
}
