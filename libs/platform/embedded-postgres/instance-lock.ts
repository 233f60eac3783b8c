import pg from 'pg';
import { SERVER_USER, type DataCluster } from './data-cluster.js';

/** `curf` in ASCII. Taken in the database `postgres`, where nothing else takes advisory locks. */
const LOCK_KEY = 0x63757266;

export type LockAttempt =
  | { readonly kind: 'locked'; readonly client: pg.Client }
  | { readonly kind: 'held-by-another' }
  /** Nothing of ours answers there (yet). */
  | { readonly kind: 'no-server' };

export const serverUrl = (cluster: DataCluster, port: number, database: string): string =>
  `postgres://${SERVER_USER}:${cluster.password}@127.0.0.1:${port}/${database}`;

/**
 * Connects and tries to take the lock that makes a service the only one on this cluster. It is held by the connection, so
 * the end of a service by any means frees it, and a PostgreSQL that outlived its service has no holder.
 */
export async function tryInstanceLock(cluster: DataCluster, port: number): Promise<LockAttempt> {
  const client = new pg.Client({
    connectionString: serverUrl(cluster, port, 'postgres'),
    ssl: false,
    connectionTimeoutMillis: 5_000,
    application_name: 'curfew instance lock',
  });
  // The attempt below reports what matters; without a listener a broken connection would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ ours: boolean; locked: boolean }>(
      `SELECT ours, CASE WHEN ours THEN pg_try_advisory_lock($2) ELSE false END AS locked
         FROM (SELECT current_setting('data_directory') = $1 AS ours) AS server`,
      [cluster.dataFolder, LOCK_KEY],
    );
    if (rows[0]?.locked === true) return { kind: 'locked', client };
    await client.end();
    // A server on a *copy* of the folder knows the same password.
    return { kind: rows[0]?.ours === true ? 'held-by-another' : 'no-server' };
  } catch {
    await client.end().catch(() => undefined);
    return { kind: 'no-server' };
  }
}

/** Makes the database if it is not there. Only for the holder of the lock. */
export async function ensureDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0`);
}
