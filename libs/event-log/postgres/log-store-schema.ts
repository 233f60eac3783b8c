/**
 * Which store holds the log that the read models of this database belong to. A database with events of its own is its log's.
 */
export const LOG_STORE = `
create table curfew.log_store (
  one boolean primary key default true check (one),
  kind text not null
);
insert into curfew.log_store (kind) select 'postgres' where exists (select 1 from curfew.events);
`;
