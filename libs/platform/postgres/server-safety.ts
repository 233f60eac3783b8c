import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { CurfewError } from '#contracts';
import { unavailableIfConnection } from './unavailable.js';

/** What `SAFETY_COLUMNS` selects. */
export interface SafetyRow {
  readonly version: number;
  readonly in_recovery: boolean;
  readonly read_only: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly standbys: string;
}

export const SAFETY_COLUMNS = `
  current_setting('server_version_num')::int as version,
  pg_is_in_recovery() as in_recovery,
  current_setting('default_transaction_read_only') as read_only,
  current_setting('fsync') as fsync,
  current_setting('synchronous_commit') as synchronous_commit,
  current_setting('synchronous_standby_names') as standbys`;

/** Why a server cannot be a log that loses nothing (DESIGN §8); undefined if it can. */
export function unsafeServer(row: SafetyRow): string | undefined {
  if (row.version < 140_000) return 'the server is older than PostgreSQL 14';
  if (row.in_recovery) return 'the server is in recovery (a standby)';
  if (row.read_only === 'on') return 'default_transaction_read_only=on';
  if (row.fsync === 'off') return 'fsync=off';
  if (row.synchronous_commit === 'off') return 'synchronous_commit=off';
  if (row.synchronous_commit === 'local' && row.standbys !== '') {
    return 'synchronous_commit=local does not wait for the synchronous standbys';
  }
  return undefined;
}

const POOLER = 'a transaction pooler is in front of the server; connect to the server itself';

/** PgBouncer's answer to what it cannot pass on: our session settings, or a transaction in its statement mode. */
const PROTOCOL_VIOLATION = '08P01';

/**
 * Refuses a server or a connection that breaks the guarantees: in recovery, read-only, `fsync=off`, `synchronous_commit=off`,
 * or behind a pooler that gives statements of one client to several sessions. Takes two connections of the pool for a moment.
 * @throws CurfewError ERR_LOG_STORE_REFUSED, its `detail` names the cause; ERR_UNAVAILABLE.
 */
export async function refuseUnsafeServer(pool: Pick<pg.Pool, 'connect'>): Promise<void> {
  try {
    const reason = await unsafety(pool);
    if (reason !== undefined) throw refused(reason);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === PROTOCOL_VIOLATION) throw refused(POOLER);
    throw unavailableIfConnection(error);
  }
}

async function unsafety(pool: Pick<pg.Pool, 'connect'>): Promise<string | undefined> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<SafetyRow>(`select ${SAFETY_COLUMNS}`);
    if (rows[0] === undefined) return 'the server does not answer';
    return unsafeServer(rows[0]) ?? ((await changesSession(client, pool)) ? POOLER : undefined);
  } finally {
    // Not back to the pool: the probe left a setting in the session.
    client.release(true);
  }
}

/**
 * A transaction pooler hands the session that one client has just let go to the next that asks. So while a second client
 * keeps one busy, the first one's next statement lands in another session, where its setting is missing.
 */
async function changesSession(client: pg.PoolClient, pool: Pick<pg.Pool, 'connect'>): Promise<boolean> {
  const probe = randomUUID();
  const before = await client.query<{ pid: number; probe: string }>(
    `select pg_backend_pid() as pid, set_config('curfew.probe', $1, false) as probe`,
    [probe],
  );
  const other = await pool.connect();
  try {
    await other.query('begin');
    const after = await client.query<{ pid: number; probe: string | null }>(
      `select pg_backend_pid() as pid, current_setting('curfew.probe', true) as probe`,
    );
    await other.query('rollback');
    return after.rows[0]?.pid !== before.rows[0]?.pid || after.rows[0]?.probe !== probe;
  } finally {
    other.release(true);
  }
}

const refused = (detail: string): CurfewError => new CurfewError('ERR_LOG_STORE_REFUSED', { detail });
