import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { runMigrations, type Migration } from './migrations.js';

const first: Migration = {
  id: 'test/1',
  sql: 'create table curfew.one (n int); insert into curfew.one values (1)',
};
const second: Migration = { id: 'test/2', sql: 'alter table curfew.one add column m int' };
const failing: Migration = { id: 'test/3', sql: 'insert into curfew.one values (2); select 1 / 0' };

describe('migrations', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createDatabase();
    client = new pg.Client(database.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const applied = async (): Promise<string[]> =>
    (await client.query<{ id: string }>('select id from curfew.migrations order by applied_at, id')).rows.map(
      ({ id }) => id,
    );

  it('run once, in order, when several instances start at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => runMigrations(database.url, [first])));
    await Promise.all(Array.from({ length: 5 }, () => runMigrations(database.url, [first, second])));
    expect(await applied()).toEqual(['test/1', 'test/2']);
    expect((await client.query('select * from curfew.one')).rows).toEqual([{ n: 1, m: null }]);
  });

  it('leave nothing of one that fails, and the lock free', async () => {
    await expect(runMigrations(client, [first, second, failing])).rejects.toThrow('division by zero');
    expect(await applied()).toEqual(['test/1', 'test/2']);
    expect((await client.query('select * from curfew.one')).rowCount).toBe(1);
    await runMigrations(database.url, [first, second]);
  });

  it('refuse a database whose migration had another text', async () => {
    await expect(runMigrations(client, [{ ...first, sql: 'select 1' }])).rejects.toMatchObject({
      code: 'ERR_LOG_STORE_REFUSED',
      detail: expect.stringContaining('test/1'),
    });
  });
});
