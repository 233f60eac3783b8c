import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { openPool } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { anEvent, append, newStream } from '../testing/appends.js';
import { openPostgresLog, type PostgresInstance } from '../testing/open-postgres-log.js';
import { until } from '../testing/until.js';
import { PostgresSnapshots } from './postgres-snapshots.js';
import { READ_TAILS } from './stream-tails.js';

describe('PostgreSQL: tails', () => {
  let database: TestDatabase;
  let instance: PostgresInstance;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createDatabase();
    instance = await openPostgresLog(database.url);
    pool = openPool(database.url, { max: 1 });
  });
  afterAll(async () => {
    await instance.close();
    await pool.end();
    await database.drop();
  });

  it('are read through the primary keys, whatever it is planned for', async () => {
    const client = await pool.connect();
    try {
      await client.query(`prepare read_tails as ${READ_TAILS}`);
      for (const mode of ['force_generic_plan', 'force_custom_plan']) {
        await client.query(`set plan_cache_mode = ${mode}`);
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `explain execute read_tails('{a,b,c}', '{f,f,f}')`,
        );
        const text = rows.map((row) => row['QUERY PLAN']).join('\n');
        for (const index of ['streams_pkey', 'snapshots_pkey', 'events_pkey']) {
          expect(text).toMatch(new RegExp(`Scan (using|on) ${index}`));
        }
        expect(text).not.toMatch(/Seq Scan|Hash|Merge|Materialize/);
        expect(text).toMatch(/Index Cond: \(\(stream = CASE .* AND \(revision > CASE/);
      }
    } finally {
      client.release(true);
    }
  });

  it('brings the state once, however many events are behind it', async () => {
    const stream = newStream();
    await instance.log.append([append(stream, -1, anEvent(), anEvent(), anEvent(), anEvent())]);
    instance.log.keepSnapshot({ stream, revision: 0, format: 'f', state: { a: 1 } });
    const read = async (): Promise<{ state: unknown; revision: number }[]> =>
      (await pool.query(READ_TAILS, [[stream], ['f']])).rows as { state: unknown; revision: number }[];
    await until(async () => (await read()).length === 3);
    expect((await read()).map(({ state, revision }) => [state, revision])).toEqual([
      [{ a: 1 }, 1],
      [null, 2],
      [null, 3],
    ]);
  });

  it('keeping waits for no disk, and leaves the session as durable as it was', async () => {
    const snapshots = new PostgresSnapshots(pool, { gatherMs: 1 });
    snapshots.keep({ stream: newStream(), revision: 1, format: 'f', state: {} });
    await until(() => snapshots.stats().written === 1);
    // The pool has one connection: this is the session that wrote.
    const { rows } = await pool.query<{ setting: string }>(
      `select current_setting('synchronous_commit') as setting`,
    );
    expect(rows[0]!.setting).toBe('on');
    await snapshots.close();
  });

  it('G9: a read fails, rather than leave a snapshot that is ahead where it is', async () => {
    const stream = newStream();
    await instance.log.append([append(stream, -1, anEvent())]);
    const snapshots = new PostgresSnapshots(instance.pool, { gatherMs: 1 });
    snapshots.keep({ stream, revision: 7, format: 'f', state: {} });
    await until(() => snapshots.stats().written === 1);
    await pool.query(`create rule keep_all as on delete to curfew.snapshots do instead select 1 / 0`);
    await expect(instance.log.readTails([stream], 'f')).rejects.toThrow('division by zero');
    await pool.query('drop rule keep_all on curfew.snapshots');
    expect((await instance.log.readTails([stream], 'f')).get(stream)).not.toHaveProperty('snapshot');
    expect((await pool.query('select 1 from curfew.snapshots where stream = $1', [stream])).rowCount).toBe(0);
    await snapshots.close();
  });

  it('that are asked for together come in one answer', async () => {
    const stream = newStream();
    await instance.log.append([append(stream, -1, anEvent())]);
    const tails = await Promise.all(Array.from({ length: 50 }, () => instance.log.readTails([stream], 'f')));
    expect(new Set(tails.map((tail) => tail.get(stream))).size).toBe(1);
  });
});
