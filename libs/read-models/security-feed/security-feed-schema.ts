import type { Migration } from '#platform';

/** One version of the table, as the migrations leave version 1. */
export const createSecurityFeed = (version: number): string => `
create table curfew.security_feed_${version} (
  event_id text collate "C" not null constraint security_feed_pkey_${version} primary key,
  position text collate "C" not null,
  tenant text collate "C" not null,
  kind text not null,
  sid text collate "C",
  sub text,
  at bigint not null,
  detail jsonb not null
);
create index security_feed_of_tenant_${version} on curfew.security_feed_${version} (tenant, at, event_id);
create index security_feed_thefts_${version} on curfew.security_feed_${version} (sid)
  where kind = 'session.theft-detected';
`;

/** Never edited, also where `createSecurityFeed` is: what comes later is another migration. */
const FIRST_VERSION = `
create table curfew.security_feed_1 (
  event_id text collate "C" not null constraint security_feed_pkey_1 primary key,
  position text collate "C" not null,
  tenant text collate "C" not null,
  kind text not null,
  sid text collate "C",
  sub text,
  at bigint not null,
  detail jsonb not null
);
create index security_feed_of_tenant_1 on curfew.security_feed_1 (tenant, at, event_id);
create index security_feed_thefts_1 on curfew.security_feed_1 (sid) where kind = 'session.theft-detected';
create view curfew.security_feed as select * from curfew.security_feed_1;
`;

export const securityFeedMigrations: readonly Migration[] = [
  { id: 'read-models/0004-security-feed', sql: FIRST_VERSION },
];
