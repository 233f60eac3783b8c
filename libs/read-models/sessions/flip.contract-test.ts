import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { StreamAppend } from '#application';
import { PostgresLogMeasure } from '#event-log';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { openPostgresLog, type PostgresInstance } from '../../event-log/testing/open-postgres-log.js';
import { SEED, seededRandom } from '../../event-log/testing/seeded-random.js';
import { until } from '../../event-log/testing/until.js';
import { readModelMigrations, sessionsProjection, sessionViewChanges } from '../index.js';
import { created, revoked, rotated, to } from '../testing/events.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 8);
const WRITERS = 12;

describe(`the versions of the session views, SEED=${SEED}`, () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  const instances: PostgresInstance[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    pool = openPool(database.url);
    instances.push(await openPostgresLog(database.url, sessionViewChanges));
    await runMigrations(database.url, readModelMigrations);
    instances.push(await openPostgresLog(database.url, sessionViewChanges));
  });
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.close()));
    await pool.end();
    await database.drop();
  });

  /** All that is committed, also beyond the horizon that waiting appends hold. */
  const events = (client: pg.ClientBase | pg.Pool) => new PostgresLogMeasure(pool).readRest(client, '');

  /** As a rebuild does it, without the catching up before. */
  const flipTo = async (version: number): Promise<void> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('begin');
      await client.query(sessionsProjection.createTables(version));
      await client.query('lock table curfew.session_views in access exclusive mode');
      await sessionsProjection.apply(client, version, await events(client));
      await client.query(
        `create or replace view curfew.session_views as select * from curfew.session_views_${version}`,
      );
      await client.query('commit');
    } finally {
      await client.end();
    }
  };

  const rowsOf = async (relation: string): Promise<string[]> => {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${relation} t order by 1`);
    return rows.map(({ row }) => row);
  };

  it('G7: appends under way at a flip are in the new version, and only there from then on', async () => {
    const random = seededRandom(SEED);
    let stop = false;
    let sids = 0;
    let written = 0;
    const writer = async (): Promise<void> => {
      while (!stop) {
        const { log } = random.pick(instances);
        const sid = `flip-${String(++sids)}`;
        const life: StreamAppend[] = [to(sid, -1, created('user-1', 1_000 + sids))];
        for (let gen = 1; gen <= random.below(5); gen++)
          life.push(to(sid, gen - 1, rotated(gen, 2_000 + gen)));
        if (random.below(2) === 0) life.push(to(sid, life.length - 1, revoked('user-1', 5_000)));
        for (const append of life) await log.append([append]);
        written += life.length;
      }
    };
    const writers = Array.from({ length: WRITERS }, writer);
    for (let version = 2; version < 2 + ROUNDS; version++) {
      const before = written;
      await until(() => written > before + 50);
      await flipTo(version);
    }
    stop = true;
    await Promise.all(writers);

    const last = 1 + ROUNDS;
    await pool.query(sessionsProjection.createTables(last + 1));
    await sessionsProjection.apply(pool, last + 1, await events(pool));
    const rebuilt = await rowsOf(`curfew.session_views_${last + 1}`);
    expect(rebuilt).toHaveLength(sids);
    expect(await rowsOf(`curfew.session_views_${last}`)).toEqual(rebuilt);
    expect(await rowsOf('curfew.session_views')).toEqual(rebuilt);
    expect((await rowsOf(`curfew.session_views_${last - 1}`)).length).toBeLessThan(rebuilt.length);
  });
});
