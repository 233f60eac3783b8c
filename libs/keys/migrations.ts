import type { Migration } from '#platform';

/** Everything in `sealed` is sealed under the master key. */
export const keysMigrations: readonly Migration[] = [
  {
    id: 'keys/0001',
    sql: `
      -- Refresh tokens name their MAC key by 16 bits.
      create table curfew.keys (
        id integer primary key check (id between 1 and 65535),
        purpose text not null check (purpose in ('signing', 'mac', 'pepper')),
        algorithm text not null,
        sealed bytea not null,
        public jsonb,
        created_at timestamptz not null default now()
      );

      create table curfew.user_keys (
        key_id text primary key,
        tenant text not null,
        sub text not null,
        sealed bytea not null,
        created_at timestamptz not null default now(),
        unique (tenant, sub)
      );

      create table curfew.api_keys (
        id text primary key,
        sha256 bytea not null unique check (length(sha256) = 32),
        name text not null,
        scopes text[] not null,
        tenants text[] not null,
        audiences text[] not null,
        created_at bigint not null,
        created_by text not null,
        revoked_at bigint
      );`,
  },
];
