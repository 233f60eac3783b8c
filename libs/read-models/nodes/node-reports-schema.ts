import type { Migration } from '#platform';

/** Room on each page for new versions of its rows, so that reports make no work for the index. */
export const nodeReportsMigrations: readonly Migration[] = [
  {
    id: 'read-models/0006-node-reports',
    sql: `
create table curfew.node_reports (
  tenants text collate "C" not null,
  node_id text collate "C" not null,
  via text not null,
  bound_ms bigint not null,
  cursor text not null,
  reported_at bigint not null,
  constraint node_reports_pkey primary key (tenants, node_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
`,
  },
];
