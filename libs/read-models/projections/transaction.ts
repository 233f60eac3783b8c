import pg from 'pg';
import { isConnectionFailure } from '#platform';
import type { ProjectionClient } from './projection.js';

const ignore = (): void => undefined;

/**
 * Runs `work` in a transaction (READ COMMITTED: each statement sees what was committed before it). On an error everything is
 * rolled back. After a connection failure the outcome is unknown: read the checkpoint again.
 * @param settings of the transaction, for example `{ synchronous_commit: 'off' }`; constants, never input
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: ProjectionClient) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  const client = await pool.connect();
  // Without a listener, the loss of a connection in use would end the process.
  client.on('error', ignore);
  let broken = false;
  try {
    const set = Object.entries(settings).map(([name, value]) => `; set local ${name} = '${value}'`);
    await client.query(`begin isolation level read committed${set.join('')}`);
    const result = await work(client);
    const { command } = await client.query('commit');
    // What the server answers to the commit of a transaction in which something had failed.
    if (command !== 'COMMIT')
      throw new Error('the transaction was rolled back: a failed statement was passed over');
    return result;
  } catch (error) {
    broken = !(await rolledBack(client, error));
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

async function rolledBack(client: pg.PoolClient, error: unknown): Promise<boolean> {
  // A statement that got no answer is still under way: nothing more can be said over this connection.
  if (isConnectionFailure(error) && !(error instanceof pg.DatabaseError)) return false;
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}
