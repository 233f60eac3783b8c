import type { Migration } from '#platform';

/** Version 1 as it began. Migrations are never edited: what came later is in `VERSIONED`. */
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

/** The view and its writers go through `curfew.session_views`, whatever version it shows. */
const VERSIONED = `
alter table curfew.session_views rename to session_views_1;
alter table curfew.session_views_1 rename constraint session_views_pkey to session_views_pkey_1;
alter table curfew.session_views_1
  add column ep_user int not null default 0,
  add column ep_client int not null default 0,
  add column ep_tenant int not null default 0,
  add column ep_global int not null default 0;
drop index curfew.session_views_of_user;
alter index curfew.session_views_of_user_open rename to session_views_of_user_open_1;
create index session_views_of_user_ended_1 on curfew.session_views_1 (tenant, sub, created_at, sid)
  where ended_at is not null;
create index session_views_of_tenant_open_1 on curfew.session_views_1 (tenant, (created_at + 0), sid)
  where ended_at is null;
create index session_views_of_tenant_ended_1 on curfew.session_views_1 (tenant, (created_at + 0), sid)
  where ended_at is not null;

create view curfew.session_views as select * from curfew.session_views_1;

create or replace function curfew.apply_inline_views(changes jsonb) returns void language plpgsql as $$
begin
  insert into curfew.session_views as v (sid, tenant, sub, client, roles, gen, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator, revision,
    ep_user, ep_client, ep_tenant, ep_global)
  select sid, tenant, sub, client, roles, gen, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator, revision,
    coalesce(ep_user, 0), coalesce(ep_client, 0), coalesce(ep_tenant, 0), coalesce(ep_global, 0)
  from jsonb_to_recordset(changes) as c(sid text, tenant text, sub text, client text, roles jsonb, gen int,
    created_at bigint, last_seen_at bigint, idle_timeout bigint, absolute_timeout bigint, device jsonb,
    ended_at bigint, ended_reason text, ended_initiator text, revision int,
    ep_user int, ep_client int, ep_tenant int, ep_global int)
  where c.tenant is not null
  on conflict (sid) do nothing;

  update curfew.session_views v set
    revision = c.revision,
    gen = coalesce(c.gen, v.gen),
    last_seen_at = greatest(c.last_seen_at, v.last_seen_at),
    device = coalesce(c.device, v.device),
    ended_at = coalesce(v.ended_at, c.ended_at),
    ended_reason = coalesce(v.ended_reason, c.ended_reason),
    ended_initiator = coalesce(v.ended_initiator, c.ended_initiator),
    ep_user = greatest(c.ep_user, v.ep_user),
    ep_client = greatest(c.ep_client, v.ep_client),
    ep_tenant = greatest(c.ep_tenant, v.ep_tenant),
    ep_global = greatest(c.ep_global, v.ep_global)
  from jsonb_to_recordset(changes) as c(sid text, tenant text, gen int, last_seen_at bigint, device jsonb,
    ended_at bigint, ended_reason text, ended_initiator text, revision int,
    ep_user int, ep_client int, ep_tenant int, ep_global int)
  where v.sid = c.sid and c.tenant is null and c.revision > v.revision;
end $$;
`;

/**
 * One version of the table, as the migrations leave version 1. Columns are in one order in every version, so that a view can
 * be turned from one to another. No indexed column changes while a session lives, so that its updates are HOT; each view is in
 * the indexes of the open or in those of the ended ones, so that a creation writes three. The sum in a tenant's index keeps
 * the planner from reading a whole tenant in order to find one user's.
 */
export const createSessionViews = (version: number): string => `
create table curfew.session_views_${version} (
  sid text collate "C" not null constraint session_views_pkey_${version} primary key,
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
  revision int not null,
  ep_user int not null default 0,
  ep_client int not null default 0,
  ep_tenant int not null default 0,
  ep_global int not null default 0
) with (fillfactor = 80);
create index session_views_of_user_open_${version} on curfew.session_views_${version} (tenant, sub, created_at, sid)
  where ended_at is null;
create index session_views_of_user_ended_${version} on curfew.session_views_${version} (tenant, sub, created_at, sid)
  where ended_at is not null;
create index session_views_of_tenant_open_${version} on curfew.session_views_${version} (tenant, (created_at + 0), sid)
  where ended_at is null;
create index session_views_of_tenant_ended_${version} on curfew.session_views_${version} (tenant, (created_at + 0), sid)
  where ended_at is not null;
`;

/** Run after `eventLogMigrations`. */
export const sessionViewsMigrations: readonly Migration[] = [
  { id: 'read-models/0001-session-views', sql: TABLE + APPLY },
  { id: 'read-models/0003-versioned-session-views', sql: VERSIONED },
];
