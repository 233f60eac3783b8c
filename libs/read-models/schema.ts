import type { Migration } from '#platform';

/** No indexed column changes while a session lives, so that its updates are HOT. */
const TABLE = `
create table curfew.session_views (
  sid text collate "C" primary key,
  tenant text collate "C" not null,
  sub text collate "C" not null,
  client text not null,
  roles jsonb not null,
  gen int not null,
  created_at bigint not null,
  last_seen_at bigint not null,
  idle_timeout bigint not null,
  absolute_timeout bigint not null,
  device jsonb,
  ended_at bigint,
  ended_reason text,
  ended_initiator text,
  revision int not null
) with (fillfactor = 80);
create index session_views_of_user on curfew.session_views (tenant, sub, created_at, sid);
create index session_views_of_user_open on curfew.session_views (tenant, sub, created_at, sid) where ended_at is null;
`;

const COLUMNS = `sid text, revision int, tenant text, sub text, client text, roles jsonb, gen int, created_at bigint,
  last_seen_at bigint, idle_timeout bigint, absolute_timeout bigint, device jsonb, ended_at bigint, ended_reason text,
  ended_initiator text`;

/** Takes the place of the event log's empty function; called by every append with changes, in its statement. */
const APPLY = `
create or replace function curfew.apply_inline_views(changes jsonb) returns void language plpgsql as $$
begin
  insert into curfew.session_views (sid, revision, tenant, sub, client, roles, gen, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator)
  select sid, revision, tenant, sub, client, roles, gen, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator
  from jsonb_to_recordset(changes) as c(${COLUMNS})
  where c.tenant is not null
  on conflict (sid) do nothing;

  update curfew.session_views v set
    revision = c.revision,
    gen = coalesce(c.gen, v.gen),
    last_seen_at = greatest(c.last_seen_at, v.last_seen_at),
    device = coalesce(c.device, v.device),
    ended_at = coalesce(v.ended_at, c.ended_at),
    ended_reason = coalesce(v.ended_reason, c.ended_reason),
    ended_initiator = coalesce(v.ended_initiator, c.ended_initiator)
  from jsonb_to_recordset(changes) as c(${COLUMNS})
  where v.sid = c.sid and c.tenant is null and c.revision > v.revision;
end $$;
`;

/** Runs after `eventLogMigrations`. */
export const sessionViewsMigrations: readonly Migration[] = [
  { id: 'read-models/0001-session-views', sql: TABLE + APPLY },
];
