/**
 * Snapshots, one per stream and format, with room for HOT updates; and the index of revocations for all the types that end sessions
 * (`REVOCATION_EVENT_TYPES`; the planner uses it for queries that name these or fewer).
 */
export const SNAPSHOTS = `
create table curfew.snapshots (
  stream text collate "C" not null,
  format text not null,
  revision int not null,
  state jsonb not null,
  -- Two versions of the service beside each other keep one each.
  primary key (stream, format)
) with (fillfactor = 70);

drop index curfew.events_revocations;
create index events_revocations on curfew.events (tx) where type in ('session.revoked', 'scope.revoked');
`;
