import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { refuseAnotherLogStore } from './log-store.js';
import { eventLogMigrations } from './postgres/schema.js';

describe('where the log is', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createDatabase();
    pool = openPool(database.url);
    await runMigrations(database.url, eventLogMigrations);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('is noted at the first start, and another store is refused from then on', async () => {
    await refuseAnotherLogStore(pool, 'kurrentdb');
    await refuseAnotherLogStore(pool, 'kurrentdb');
    await expect(refuseAnotherLogStore(pool, 'postgres')).rejects.toMatchObject({
      code: 'ERR_LOG_STORE_REFUSED',
    });
  });

  it('is PostgreSQL for a database that has had a log since before that was noted', async () => {
    const old = await createDatabase();
    const oldPool = openPool(old.url);
    try {
      const before = eventLogMigrations.filter(({ id }) => id < 'event-log/0005');
      await runMigrations(old.url, before);
      await oldPool.query(`insert into curfew.events (stream, revision, event_id, type, schema_version, data, metadata)
        values ('s', 0, gen_random_uuid(), 't', 1, '{}', '{}')`);
      await runMigrations(old.url, eventLogMigrations);
      await refuseAnotherLogStore(oldPool, 'postgres');
      await expect(refuseAnotherLogStore(oldPool, 'kurrentdb')).rejects.toMatchObject({
        code: 'ERR_LOG_STORE_REFUSED',
      });
    } finally {
      await oldPool.end();
      await old.drop();
    }
  });
});
