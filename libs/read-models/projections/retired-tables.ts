import type pg from 'pg';
import type { ProjectionDefinition } from './projection.js';
import { inTransaction } from './transaction.js';

/**
 * Drops the tables of versions that were replaced or given up. One that a reader still uses is left for the next time.
 * Resumable: that they are gone is written in the same transaction.
 */
export async function dropRetiredTables(
  pool: pg.Pool,
  definitions: readonly ProjectionDefinition[],
  lockMs: number,
): Promise<void> {
  const { rows } = await pool.query<{ name: string; version: number }>(
    `select name, version from curfew.projections where has_tables and state in ('retired', 'failed')`,
  );
  for (const { name, version } of rows) {
    const tables = definitions.find((definition) => definition.name === name)?.tables;
    if (tables === undefined) continue;
    await inTransaction(
      pool,
      async (client) => {
        const { rowCount } = await client.query({
          text: `update curfew.projections set has_tables = false, updated_at = clock_timestamp(),
              state = case state when 'retired' then 'dropped' else state end
            where name = $1 and version = $2 and has_tables and state in ('retired', 'failed')`,
          values: [name, version],
        });
        if (rowCount !== 1) return;
        for (const table of tables) {
          await client.query({ text: `drop table if exists curfew.${table}_${version}` });
        }
      },
      { lock_timeout: `${lockMs}ms` },
    );
  }
}
