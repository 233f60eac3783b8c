import type pg from 'pg';
import type { EventLog, Position, RecordedEvent } from '#application';
import type { InlineLog, LogMeasure } from '../runtime.js';

const PAGE = 1_000;

/** For logs that a test can afford to read. */
export function measureByReading(log: Pick<EventLog, 'readAll'>): LogMeasure {
  const after = async (position: Position): Promise<RecordedEvent[]> => {
    const events: RecordedEvent[] = [];
    for (let at = position; ;) {
      const page = await log.readAll(at, PAGE);
      events.push(...page.events);
      if (page.caughtUp) return events;
      at = page.position;
    }
  };
  return {
    newest: async () => {
      const last = (await after('')).at(-1);
      return last && { position: last.position, recordedAt: last.metadata.recordedAt };
    },
    countAfter: async (position, most) => Math.min(most, (await after(position)).length),
    size: async () => (await after('')).length,
  };
}

const order = (position: Position): [string, string] => {
  const [tx = '0', number = '0'] = position === '' ? [] : position.split(':');
  return [BigInt(tx).toString(), BigInt(number).toString()];
};
const positionText = (tx: string, number: string): Position =>
  `${tx.padStart(20, '0')}:${number.padStart(19, '0')}`;

export const measureOfPostgres = (pool: pg.Pool): LogMeasure => ({
  newest: async () => {
    const { rows } = await pool.query<{ tx: string; number: string; recorded_at: number }>(
      `select e.tx::text as tx, e.position::text as number, (e.metadata ->> 'recordedAt')::float8 as recorded_at
        from curfew.events e order by e.tx desc, e.position desc limit 1`,
    );
    const row = rows[0];
    return row && { position: positionText(row.tx, row.number), recordedAt: row.recorded_at };
  },
  countAfter: async (position, most) => {
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from (
        select 1 from curfew.events e where (e.tx, e.position) > ($1::xid8, $2::bigint) limit $3) after`,
      [...order(position), most],
    );
    return rows[0]!.n;
  },
  size: async () => {
    const { rows } = await pool.query<{ n: string }>(
      'select last_value as n from curfew.events_position_seq',
    );
    return Number(rows[0]!.n);
  },
});

interface RestRow {
  readonly tx_text: string;
  readonly position_text: string;
  readonly stream: string;
  readonly revision: number;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly data: RecordedEvent['data'];
  readonly metadata: RecordedEvent['metadata'];
}

export const inlineOfPostgres: InlineLog = {
  readRest: async (client, after) => {
    const { rows } = await client.query<RestRow>({
      name: 'read-rest',
      text: `select e.tx::text as tx_text, e.position::text as position_text, e.stream, e.revision, e.event_id, e.type,
          e.schema_version, e.data, e.metadata
        from curfew.events e where (e.tx, e.position) > ($1::xid8, $2::bigint) order by e.tx, e.position`,
      values: order(after),
    });
    return rows.map((row) => ({
      id: row.event_id,
      type: row.type,
      schemaVersion: row.schema_version,
      data: row.data,
      metadata: row.metadata,
      stream: row.stream,
      revision: row.revision,
      position: positionText(row.tx_text, row.position_text),
    }));
  },
};
