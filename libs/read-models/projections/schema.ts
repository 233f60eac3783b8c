import type { Migration } from '#platform';

/**
 * One row for each version that a projection ever had: version numbers are never used again.
 *
 * `live` and `paused` versions are the ones that queries see. `building` ones are on their way there, `failed` ones will not
 * get there, `retired` ones were replaced and wait for their tables to be dropped. `position` and `last` (the newest event
 * taken in) change in the transaction that has the effect. The owner is the run of a follower or a rebuilder, not an instance:
 * whoever lost ownership once never has it again under the same id.
 */
const PROJECTIONS = `
create table curfew.projections (
  name text collate "C" not null,
  version int not null check (version > 0),
  state text not null check (state in ('live', 'paused', 'building', 'failed', 'retired', 'dropped')),
  has_tables boolean not null,
  position text collate "C" not null default '',
  last jsonb,
  failure jsonb,
  owner uuid,
  heartbeat timestamptz,
  events_done bigint not null default 0,
  events_total bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (name, version)
) with (fillfactor = 50);
create unique index projections_active on curfew.projections (name) where state in ('live', 'paused');
create unique index projections_building on curfew.projections (name) where state = 'building';
`;

/** Runs before the migrations that make version 1 of each projection's tables and views. */
export const projectionMigrations: readonly Migration[] = [
  { id: 'read-models/0002-projections', sql: PROJECTIONS },
];
