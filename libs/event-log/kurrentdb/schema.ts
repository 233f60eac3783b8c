import type { Migration } from '#platform';

const CURSORS = `
-- Positions in $all, with the reference time at which they were taken at the latest (milliseconds).
create table curfew.kurrentdb_cursors (
  taken_at bigint primary key,
  position text not null
);
`;

/** What `KurrentRevocationLog` keeps in PostgreSQL, after `eventLogMigrations` (the barrier's row, snapshots). */
export const kurrentdbMigrations: readonly Migration[] = [
  { id: 'kurrentdb/0001-revocation-cursors', sql: CURSORS },
];
