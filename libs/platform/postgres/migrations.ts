import { createHash } from 'node:crypto';
import pg from 'pg';
import { CurfewError } from '#contracts';
import { connectionConfig } from './pool.js';

export interface Migration {
  /** Unique for ever, for example `event-log/0001`. */
  readonly id: string;
  /** One or several statements; run in one transaction. Never edited after a release: add another migration. */
  readonly sql: string;
}

/** Any constant: the same in every version of every instance. */
const MIGRATION_LOCK = '4839170254761';

const checksum = (sql: string): string => createHash('sha256').update(sql).digest('hex');

/**
 * Brings the schema up to date: each migration that is not recorded in `curfew.migrations` runs in a transaction of its own,
 * in the given order. Idempotent. Instances that start at once wait for each other on an advisory lock. A client that is
 * passed in must be connected and stays open.
 * @throws CurfewError ERR_LOG_STORE_REFUSED when a recorded migration has another text than the one given.
 */
export async function runMigrations(
  target: string | pg.ClientBase,
  migrations: readonly Migration[],
): Promise<void> {
  if (typeof target !== 'string') return migrate(target, migrations);
  const client = new pg.Client({
    ...connectionConfig(target, {
      applicationName: 'curfew-migrations',
      statementTimeoutMs: 0,
      connectTimeoutMs: 5_000,
    }),
    // A migration of a large table, or the wait for another instance's, may take long.
    query_timeout: undefined,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await migrate(client, migrations);
  } finally {
    await client.end();
  }
}

async function migrate(client: pg.ClientBase, migrations: readonly Migration[]): Promise<void> {
  await client.query('select pg_advisory_lock($1::bigint)', [MIGRATION_LOCK]);
  try {
    const applied = await appliedMigrations(client);
    for (const migration of migrations) {
      const recorded = applied.get(migration.id);
      if (recorded === undefined) await apply(client, migration);
      else if (recorded !== checksum(migration.sql)) throw edited(migration.id);
    }
  } finally {
    await client.query('select pg_advisory_unlock($1::bigint)', [MIGRATION_LOCK]);
  }
}

async function appliedMigrations(client: pg.ClientBase): Promise<Map<string, string>> {
  await client.query(`
    create schema if not exists curfew;
    create table if not exists curfew.migrations (
      id text primary key, checksum text not null, applied_at timestamptz not null default now()
    )`);
  const { rows } = await client.query<{ id: string; checksum: string }>(
    'select id, checksum from curfew.migrations',
  );
  return new Map(rows.map((row) => [row.id, row.checksum]));
}

async function apply(client: pg.ClientBase, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(migration.sql);
    await client.query('insert into curfew.migrations (id, checksum) values ($1, $2)', [
      migration.id,
      checksum(migration.sql),
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

const edited = (id: string): CurfewError =>
  new CurfewError('ERR_LOG_STORE_REFUSED', {
    detail: `migration ${id} was applied with another text: this database belongs to another version`,
  });
