import type { Position, RevocationCursor } from '#application';
import type { DedicatedConnection } from '#platform';
import type { Term } from './lane-writer.js';
import type { RelayCheckpoint } from './relay.js';

interface Row {
  readonly stream_id: string;
  readonly lanes: number;
  readonly incarnation: string;
  readonly checkpoint: string | null;
  readonly next_offsets: readonly string[];
  readonly events_position: string;
}

/** A leadership that has begun, and where the one before it ended. */
export interface BegunTerm {
  readonly term: Term;
  readonly checkpoint: RevocationCursor | undefined;
  readonly nextOffsets: readonly bigint[];
  readonly eventsPosition: Position;
}

/** What is on the topic when a leadership begins. */
interface TopicAsFound {
  /** Offset after the last record of each lane. */
  readonly ends: readonly bigint[];
  /** It is known to be another one than the record tells of. */
  readonly isAnew: boolean;
}

/** Thrown when another leadership has written the record since: this one has ended. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

const READ = { name: 'relay-read', text: 'select * from curfew.relay' };

/** Greater than the one before and than every one that a log without this row may have given: the clock counts milliseconds. */
const INCARNATION = `greatest(coalesce((select incarnation + 1 from curfew.relay), 1),
  floor(extract(epoch from clock_timestamp()) * 1000)::bigint)`;

/**
 * Begins a leadership: a new incarnation, on record before its first message. A topic whose offsets went back or that has other
 * lanes gets a new stream id, and nothing that was published before counts.
 */
export async function beginTerm(
  connection: DedicatedConnection,
  { ends, isAnew }: TopicAsFound,
): Promise<BegunTerm> {
  const { rows } = await connection.query<Row>(READ);
  const last = rows[0];
  const isOther = isAnew || last === undefined || !continues(last, ends);
  const begun = await connection.durable<Row>({
    name: 'relay-begin',
    text: `insert into curfew.relay (stream_id, lanes, incarnation) values (gen_random_uuid(), $1, ${INCARNATION})
      on conflict (one) do update set incarnation = excluded.incarnation, lanes = excluded.lanes,
        stream_id = case when $2 then excluded.stream_id else relay.stream_id end,
        next_offsets = case when $2 then '[]' else relay.next_offsets end
      returning *`,
    values: [ends.length, isOther],
  });
  const row = begun.rows[0];
  if (row === undefined) throw new Error('the relay’s row was not written');
  return {
    term: { streamId: row.stream_id, lanes: row.lanes, incarnation: Number(row.incarnation) },
    checkpoint: row.checkpoint ?? undefined,
    nextOffsets: row.next_offsets.map(BigInt),
    eventsPosition: row.events_position,
  };
}

const continues = ({ lanes, next_offsets }: Row, ends: readonly bigint[]): boolean =>
  lanes === ends.length && next_offsets.every((next, lane) => BigInt(next) <= ends[lane]!);

/** @throws Superseded */
export async function storeCheckpoint(
  connection: DedicatedConnection,
  { incarnation }: Term,
  { cursor, nextOffsets }: RelayCheckpoint,
): Promise<void> {
  const { rowCount } = await connection.query({
    name: 'relay-checkpoint',
    text: 'update curfew.relay set checkpoint = $2, next_offsets = $3 where incarnation = $1',
    values: [incarnation, cursor, JSON.stringify(nextOffsets.map(String))],
  });
  if (rowCount !== 1) throw new Superseded();
}

/** @throws Superseded */
export async function storeEventsPosition(
  connection: DedicatedConnection,
  { incarnation }: Term,
  position: Position,
): Promise<void> {
  const { rowCount } = await connection.query({
    name: 'relay-events-position',
    text: 'update curfew.relay set events_position = $2 where incarnation = $1',
    values: [incarnation, position],
  });
  if (rowCount !== 1) throw new Superseded();
}
