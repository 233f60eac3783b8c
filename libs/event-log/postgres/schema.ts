import type { Migration } from '#platform';
import { APPEND_IN_ORDER } from './append-order-schema.js';
import { LOG_STORE } from './log-store-schema.js';
import { RENUMBER_AFTER_RESTORE } from './restore-schema.js';
import { SNAPSHOTS } from './snapshots-schema.js';

const TABLES = `
create table curfew.events (
  tx xid8 not null default pg_current_xact_id(),
  position bigint generated always as identity,
  stream text collate "C" not null,
  revision int not null,
  event_id uuid not null unique,
  type text not null,
  schema_version smallint not null,
  data jsonb not null,
  metadata jsonb not null,
  primary key (stream, revision)
);
create unique index events_order on curfew.events (tx, position);
create index events_revocations on curfew.events (tx) where type in ('session.revoked');

-- One row per stream; an append updates it under its lock. Room for HOT updates.
create table curfew.streams (
  stream text collate "C" primary key,
  revision int not null
) with (fillfactor = 80);

create table curfew.barrier (
  one boolean primary key default true check (one),
  n bigint not null,
  clock timestamptz not null
) with (fillfactor = 10);
insert into curfew.barrier (n, clock) values (0, clock_timestamp());

create table curfew.revocation_cursors (
  taken_at bigint primary key,
  snapshot pg_snapshot not null
);
`;

/**
 * Members: \`p\` parts (append, stream, expected revision, number of events), \`e\` events, \`v\` view changes and \`w\` whose
 * they are. Heads are made, then locked, each in the order of their names, so that two batches never wait for each other in a
 * circle. Every statement has a snapshot of its own (READ COMMITTED): after a wait it sees what the other one committed.
 * Plans are made to use the indexes even where they were cached while the tables were empty.
 */
const APPEND_BATCH = `
create function curfew.apply_inline_views(changes jsonb) returns void language plpgsql as $$ begin end $$;

create function curfew.append_batch(batch jsonb) returns jsonb language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  refused int[];
  positions bigint[];
  views jsonb := batch -> 'v';
begin
  insert into curfew.streams (stream, revision)
  select s, -1 from jsonb_to_recordset(batch -> 'p') as p(s text, e int) where e = -1 order by s collate "C"
  on conflict do nothing;

  perform 1 from (
    select 1 from curfew.streams
    where stream = any (array(select s from jsonb_to_recordset(batch -> 'p') as p(s text)))
    order by stream for update
  ) locked;

  refused := array(
    select distinct a from jsonb_to_recordset(batch -> 'p') as p(a int, s text, e int)
    where (select h.revision from curfew.streams h where h.stream = p.s) is distinct from p.e);

  update curfew.streams h set revision = p.e + p.n
  from jsonb_to_recordset(batch -> 'p') as p(a int, s text, e int, n int)
  where h.stream = p.s and p.a <> all (refused);

  with inserted as (
    insert into curfew.events (stream, revision, event_id, type, schema_version, data, metadata)
    select s, r, i, t, v, d, m
    from rows from (jsonb_to_recordset(batch -> 'e')
      as (a int, s text, r int, i uuid, t text, v smallint, d jsonb, m jsonb)) with ordinality
      as e(a, s, r, i, t, v, d, m, nth)
    where a <> all (refused) order by nth
    returning position
  )
  select array_agg(position order by position) into positions from inserted;

  if cardinality(refused) > 0 then
    views := (select coalesce(jsonb_agg(change order by nth), '[]')
      from jsonb_array_elements(views) with ordinality as v(change, nth)
      where (batch -> 'w' ->> (nth - 1)::int)::int <> all (refused));
  end if;
  if views <> '[]' then
    perform curfew.apply_inline_views(views);
  end if;

  return jsonb_build_object(
    'tx', pg_current_xact_id()::text,
    'positions', coalesce(to_jsonb(positions), '[]'),
    'refused', case when cardinality(refused) = 0 then '[]' else curfew.refusals(batch, refused) end);
end $$;
`;

/** An append whose events are all there, right after its expected revisions, was appended before: its position is told again. */
const REFUSALS = `
create function curfew.refusals(batch jsonb, refused int[]) returns jsonb language sql as $$
  with repeated as (
    select x.a, max(e.tx)::text as tx, max(e.position) as position
    from jsonb_to_recordset(batch -> 'e') as x(a int, s text, r int, i uuid)
    left join curfew.events e on e.stream = x.s and e.revision = x.r
    where x.a = any (refused)
    group by x.a
    having bool_and(e.event_id is not distinct from x.i)
  ), conflict as (
    select distinct on (p.a) p.a, p.s as stream, p.e as expected, h.revision as actual
    from rows from (jsonb_to_recordset(batch -> 'p') as (a int, s text, e int)) with ordinality as p(a, s, e, nth)
    left join curfew.streams h on h.stream = p.s
    where p.a = any (refused) and h.revision is distinct from p.e
    order by p.a, p.nth
  )
  select coalesce(jsonb_agg(jsonb_build_object('a', c.a, 'tx', r.tx, 'position', r.position::text,
    'stream', c.stream, 'expected', c.expected, 'actual', coalesce(c.actual, -1))), '[]')
  from conflict c left join repeated r on r.a = c.a
$$;
`;

/** The schema of the log. Run them before the adapters are used. */
export const eventLogMigrations: readonly Migration[] = [
  { id: 'event-log/0001-log', sql: TABLES + REFUSALS + APPEND_BATCH },
  { id: 'event-log/0002-snapshots', sql: SNAPSHOTS },
  { id: 'event-log/0003-append-in-order', sql: APPEND_IN_ORDER },
  { id: 'event-log/0004-restore', sql: RENUMBER_AFTER_RESTORE },
  { id: 'event-log/0005-log-store', sql: LOG_STORE },
];
