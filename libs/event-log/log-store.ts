import type pg from 'pg';
import { CurfewError } from '#contracts';

export type LogStoreKind = 'postgres' | 'kurrentdb';

const NAMES: Readonly<Record<LogStoreKind, string>> = {
  postgres: 'in PostgreSQL (no KURRENTDB_URL)',
  kurrentdb: 'in KurrentDB (KURRENTDB_URL)',
};

/**
 * Notes at the first start where the log is, and refuses every later start that looks for it elsewhere: sessions would be gone,
 * and views, snapshots and cursors would be of another log. Needs `eventLogMigrations`.
 * @throws CurfewError ERR_LOG_STORE_REFUSED
 */
export async function refuseAnotherLogStore(pool: pg.Pool, kind: LogStoreKind): Promise<void> {
  await pool.query('insert into curfew.log_store (kind) values ($1) on conflict do nothing', [kind]);
  const { rows } = await pool.query<{ kind: LogStoreKind }>('select kind from curfew.log_store');
  const known = rows[0]?.kind;
  if (known === undefined || known === kind) return;
  throw new CurfewError('ERR_LOG_STORE_REFUSED', {
    detail: `the log of this database is ${NAMES[known]}, and the settings name one ${NAMES[kind]}`,
  });
}
