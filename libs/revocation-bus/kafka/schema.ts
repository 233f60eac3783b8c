import type { Migration } from '#platform';

const RELAY = `
-- What the relay has published to Kafka, and under which name (DESIGN §7).
create table curfew.relay (
  one boolean primary key default true check (one),
  -- Names one life of the topic: a new one when it was made anew.
  stream_id uuid not null,
  lanes int not null,
  -- Of the leadership that wrote the row last; each has a higher one.
  incarnation bigint not null,
  -- Every revocation that this cursor shows was acknowledged by the broker; null: none yet.
  checkpoint text,
  -- Of each lane, the offset after the last acknowledged record, as decimal texts.
  next_offsets jsonb not null default '[]',
  -- Up to where the session events were acknowledged; '' is the beginning of the log.
  events_position text not null default ''
);
`;

/** What the relay keeps in PostgreSQL. */
export const relayMigrations: readonly Migration[] = [{ id: 'relay/0001-relay', sql: RELAY }];
