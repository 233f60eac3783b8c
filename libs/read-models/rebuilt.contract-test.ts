import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { RecordedEvent } from '#application';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { openPostgresLog, type PostgresInstance } from '../event-log/testing/open-postgres-log.js';
import { SEED, seededRandom, type SeededRandom } from '../event-log/testing/seeded-random.js';
import { readWholeLog } from '../event-log/testing/until.js';
import {
  countersProjection,
  readModelMigrations,
  securityFeedProjection,
  sessionsProjection,
  sessionViewChanges,
} from './index.js';
import type { ProjectionDefinition } from './projections/projection.js';
import { RandomHistory } from './testing/random-history.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 4);
const APPENDS = 250;
const PROJECTIONS = [sessionsProjection, securityFeedProjection, countersProjection];

describe(`projections of random histories, SEED=${SEED}`, () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createDatabase();
    pool = openPool(database.url);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** The whole history, appended with inline views to an empty log. */
  const written = async (
    random: SeededRandom,
  ): Promise<{ events: RecordedEvent[]; close: () => Promise<void> }> => {
    await pool.query('drop schema if exists curfew cascade');
    const instance: PostgresInstance = await openPostgresLog(database.url, sessionViewChanges);
    await runMigrations(database.url, readModelMigrations);
    const history = new RandomHistory(random).appends(APPENDS);
    for (const appends of history) await instance.log.append(appends);
    return { events: await readWholeLog(instance.log), close: () => instance.close() };
  };

  const apply = async (
    projection: ProjectionDefinition,
    version: number,
    batches: readonly (readonly RecordedEvent[])[],
  ): Promise<void> => {
    for (const batch of batches) await projection.apply(pool, version, batch);
  };

  const built = async (
    projection: ProjectionDefinition,
    version: number,
    batches: readonly (readonly RecordedEvent[])[],
  ): Promise<string[]> => {
    await pool.query(projection.createTables(version));
    await apply(projection, version, batches);
    return rows(projection, version);
  };

  /** Every column of every row as text. */
  const rows = async (projection: ProjectionDefinition, version: number): Promise<string[]> => {
    const all: string[] = [];
    for (const table of projection.tables) {
      const { rows: texts } = await pool.query<{ row: string }>(
        `select t::text as row from curfew.${table}_${version} t order by 1`,
      );
      all.push(...texts.map(({ row }) => row));
    }
    return all;
  };

  it('G7: are the same rows inline, in one batch, event by event and in batches of any size', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const random = seededRandom(SEED + round);
      const { events, close } = await written(random);
      for (const projection of PROJECTIONS) {
        const whole = await built(projection, 2, [events]);
        expect(whole.length).toBeGreaterThan(20);
        if (!projection.inline)
          await apply(
            projection,
            1,
            inBatches(events, () => 20),
          );
        expect(await rows(projection, 1)).toEqual(whole);
        expect(
          await built(
            projection,
            3,
            inBatches(events, () => 1),
          ),
        ).toEqual(whole);
        expect(
          await built(
            projection,
            4,
            inBatches(events, () => 1 + random.below(40)),
          ),
        ).toEqual(whole);
      }
      await close();
    }
  });

  it('do not change by events that come again, in other batches; counters count them again', async () => {
    const random = seededRandom(SEED);
    const { events, close } = await written(random);
    for (const projection of [sessionsProjection, securityFeedProjection]) {
      const whole = await built(projection, 2, [events]);
      const again = inBatches(events, () => 1 + random.below(40)).flatMap((batch, i, all) => [
        batch,
        // From anywhere before: streams are still in their order.
        all.slice(Math.max(0, i - random.below(4)), i + 1).flat(),
      ]);
      expect(await built(projection, 3, again)).toEqual(whole);
    }
    const once = await built(countersProjection, 2, [events]);
    expect(await built(countersProjection, 3, [events, events])).not.toEqual(once);
    await close();
  });
});

function inBatches(events: readonly RecordedEvent[], size: () => number): RecordedEvent[][] {
  const batches: RecordedEvent[][] = [];
  for (let i = 0; i < events.length;) {
    const end = i + size();
    batches.push(events.slice(i, end));
    i = end;
  }
  return batches;
}
