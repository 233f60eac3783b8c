import type pg from 'pg';
import type { RecordedEvent, StreamTail } from '#application';
import { isStorableText } from '#platform';
import type { OnAlarm } from '../alarm.js';
import { CoalescedReads } from '../coalesced-reads.js';
import type { PostgresSnapshots } from './postgres-snapshots.js';
import { EVENT_COLUMNS, toRecordedEvent, type EventRow } from './recorded-row.js';

export type Query = <R extends pg.QueryResultRow>(query: pg.QueryConfig<unknown[]>) => Promise<R[]>;

type Tails = ReadonlyMap<string, StreamTail>;

/** Calls, each with a handful of streams. */
const LIMITS = { maxLoads: 4, maxKeys: 64 };
/** In no stream's name and in no format: PostgreSQL's text cannot hold it. */
const SEPARATOR = '\0';
const NO_STREAM: StreamTail = { events: [], revision: -1 };

/**
 * Head, snapshot and the events behind it, all of one snapshot of the database. The look-ups by primary key are laterals with
 * a limit, so that no plan made for small tables can turn them into a scan. The state comes once, with the first row; an event
 * whose head is missing is not looked for. The lists stand in subqueries, where the planner cannot count them: it would plan
 * every call anew, which costs more than the read.
 */
export const READ_TAILS = `
  select a.nth::int as nth, h.revision as head, s.revision as snapshot_revision,
    case when e.revision is null or e.revision = s.revision + 1 then s.state end as state, e.*
  from unnest((select $1::text[]), (select $2::text[])) with ordinality as a(asked, format, nth)
  left join lateral (select revision from curfew.streams where stream = a.asked limit 1) h on true
  left join lateral (
    select revision, state from curfew.snapshots where stream = a.asked and format = a.format limit 1
  ) s on true
  left join lateral (
    select ${EVENT_COLUMNS} from curfew.events e
    where e.stream = case when h.revision is not null then a.asked end
      and e.revision > case when s.revision <= h.revision then s.revision else -1 end
    order by e.revision
  ) e on true
  where h.revision is not null or s.revision is not null
  order by a.nth, e.revision`;

type TailRow = {
  readonly nth: number;
  readonly head: number | null;
  readonly snapshot_revision: number | null;
  readonly state: Record<string, unknown> | null;
} & (EventRow | { readonly revision: null });

interface Asked {
  readonly stream: string;
  readonly format: string;
}

type OpenTail = StreamTail & { readonly events: RecordedEvent[] };

/** `EventLog.readTails` on PostgreSQL: the calls that come together share one statement, a call's streams are never split. */
export class StreamTails {
  private readonly calls = new CoalescedReads<Tails>((keys) => this.load(keys), LIMITS);

  constructor(
    private readonly query: Query,
    private readonly snapshots: PostgresSnapshots,
    private readonly onAlarm: OnAlarm,
  ) {}

  async read(streams: readonly string[], format: string): Promise<Tails> {
    if (!isStorableText(format)) throw new TypeError('a snapshot format is plain text');
    const known = streams.filter(isStorableText);
    const tails = known.length === 0 ? undefined : await this.calls.read([format, ...known].join(SEPARATOR));
    return new Map(streams.map((stream) => [stream, tails?.get(stream) ?? NO_STREAM]));
  }

  private async load(keys: readonly string[]): Promise<ReadonlyMap<string, Tails>> {
    const asked = new Map<string, Asked>();
    const calls = keys.map((key) => {
      const [format = '', ...streams] = key.split(SEPARATOR);
      for (const stream of streams) asked.set(idOf(stream, format), { stream, format });
      return { key, format, streams };
    });
    const tails = await this.tails([...asked.values()]);
    return new Map(
      calls.map(({ key, format, streams }) => [
        key,
        new Map(streams.map((stream) => [stream, tails.get(idOf(stream, format)) ?? NO_STREAM])),
      ]),
    );
  }

  private async tails(asked: readonly Asked[]): Promise<Map<string, StreamTail>> {
    const rows = await this.query<TailRow>({
      name: 'read-tails',
      text: READ_TAILS,
      values: [asked.map(({ stream }) => stream), asked.map(({ format }) => format)],
    });
    const tails = new Map<string, OpenTail>();
    const ahead: Promise<void>[] = [];
    for (const row of rows) {
      const of = asked[row.nth - 1]!;
      const id = idOf(of.stream, of.format);
      let tail = tails.get(id);
      if (tail === undefined) {
        tails.set(id, (tail = opened(of, row)));
        if (isAhead(row)) ahead.push(this.discard(of, row));
      }
      if (row.revision !== null) tail.events.push(toRecordedEvent(row));
    }
    await Promise.all(ahead);
    return tails;
  }

  private async discard(
    { stream, format }: Asked,
    { head, snapshot_revision: revision }: TailRow,
  ): Promise<void> {
    const snapshotRevision = revision ?? -1;
    this.onAlarm({ kind: 'snapshot-ahead', stream, snapshotRevision, revision: head ?? -1 });
    await this.snapshots.discard({ stream, format, revision: snapshotRevision });
  }
}

const idOf = (stream: string, format: string): string => format + SEPARATOR + stream;

const isAhead = ({ head, snapshot_revision: revision }: TailRow): boolean =>
  revision !== null && revision > (head ?? -1);

function opened({ stream, format }: Asked, row: TailRow): OpenTail {
  const tail = { events: [], revision: row.head ?? -1 };
  if (row.snapshot_revision === null || isAhead(row)) return tail;
  return { ...tail, snapshot: { stream, revision: row.snapshot_revision, format, state: row.state ?? {} } };
}
