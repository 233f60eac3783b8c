/**
 * The append of 0001, and one more reason to refuse: a stream to which a transaction with a higher id has appended. It can only
 * have done so between this one's first write, which takes its id, and its lock on the head. Appended now, the event would
 * stand before its predecessor in the log's order (tx, position). A caller that loads before it appends never meets this: what
 * it loaded was committed before this statement began, so under a lower id. It is for callers that guess a revision. The ids
 * above one's own are at the very end of `events_order`, so that the look costs next to nothing.
 */
export const APPEND_IN_ORDER = `
create or replace function curfew.append_batch(batch jsonb) returns jsonb language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  overtaken text[];
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

  overtaken := array(select stream from curfew.events where tx > pg_current_xact_id());

  refused := array(
    select distinct a from jsonb_to_recordset(batch -> 'p') as p(a int, s text, e int)
    where s = any (overtaken)
      or (select h.revision from curfew.streams h where h.stream = p.s) is distinct from p.e);

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

-- One row for each refused append; of its streams the first that is not at its expected revision, else (overtaken) the first.
create or replace function curfew.refusals(batch jsonb, refused int[]) returns jsonb language sql as $$
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
    where p.a = any (refused)
    order by p.a, h.revision is distinct from p.e desc, p.nth
  )
  select coalesce(jsonb_agg(jsonb_build_object('a', c.a, 'tx', r.tx, 'position', r.position::text,
    'stream', c.stream, 'expected', c.expected, 'actual', coalesce(c.actual, -1))), '[]')
  from conflict c left join repeated r on r.a = c.a
$$;
`;
