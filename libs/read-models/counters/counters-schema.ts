import type { Migration } from '#platform';

/** One version of the table, as the migrations leave version 1. */
export const createHourlyCounts = (version: number): string => `
create table curfew.hourly_counts_${version} (
  tenant text collate "C" not null,
  hour bigint not null,
  name text collate "C" not null,
  count bigint not null,
  constraint hourly_counts_pkey_${version} primary key (tenant, hour, name)
) with (fillfactor = 50);
`;

/** Never edited, also where `createHourlyCounts` is: what comes later is another migration. */
const FIRST_VERSION = `
create table curfew.hourly_counts_1 (
  tenant text collate "C" not null,
  hour bigint not null,
  name text collate "C" not null,
  count bigint not null,
  constraint hourly_counts_pkey_1 primary key (tenant, hour, name)
) with (fillfactor = 50);
create view curfew.hourly_counts as select * from curfew.hourly_counts_1;
`;

export const countersMigrations: readonly Migration[] = [
  { id: 'read-models/0005-hourly-counts', sql: FIRST_VERSION },
];
