import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NewEvent, RecordedEvent } from '#application';
import { sessionStream } from '#domain';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { countersMigrations, countersProjection, PostgresCounters } from '../index.js';
import { anEvent, created, revoked } from '../testing/events.js';

const HOUR = 3_600_000;

describe('counters on PostgreSQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let counters: PostgresCounters;
  beforeAll(async () => {
    database = await createDatabase();
    pool = openPool(database.url);
    await runMigrations(database.url, countersMigrations);
    counters = new PostgresCounters(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const apply = (...events: NewEvent[]): Promise<void> =>
    countersProjection.apply(
      pool,
      1,
      events.map((event): RecordedEvent => ({
        ...event,
        stream: sessionStream('s'),
        revision: 0,
        position: 'p',
      })),
    );
  const globalRevocation = (recordedAt: number): NewEvent =>
    anEvent(
      {
        type: 'scope.revoked',
        data: {
          revocationId: 'r',
          kind: 'global',
          epoch: 1,
          excepted: {},
          reason: 'admin',
          initiator: 'admin',
          at: 1,
        },
      },
      { tenant: 'of-the-caller', recordedAt },
    );

  it('adds up over batches, by hour and name', async () => {
    await apply(created('u', 5, 'a'), created('u', HOUR + 5, 'a'), revoked('u', 7, 'logout', 'a'));
    await apply(created('u', 6, 'a'), created('u', 6, 'b'));
    expect(await counters.list('a', 0, 3 * HOUR)).toEqual([
      { hour: 0, name: 'created', count: 2 },
      { hour: 0, name: 'revoked:logout', count: 1 },
      { hour: HOUR, name: 'created', count: 1 },
    ]);
  });

  it('has the hours from `from` to before `to`', async () => {
    await apply(created('u', 5 * HOUR, 'c'), created('u', 6 * HOUR, 'c'), created('u', 7 * HOUR, 'c'));
    const hours = async (from: number, to: number): Promise<number[]> =>
      (await counters.list('c', from, to)).map(({ hour }) => hour / HOUR);
    expect(await hours(5 * HOUR, 7 * HOUR)).toEqual([5, 6]);
    expect(await hours(5 * HOUR, 7 * HOUR + 1)).toEqual([5, 6, 7]);
    expect(await hours(6 * HOUR, 6 * HOUR)).toEqual([]);
  });

  it('G10: shows a tenant its own counts, and the global mass revocations to each', async () => {
    await apply(created('u', 9 * HOUR, 'd'), created('u', 9 * HOUR, 'e'), globalRevocation(9 * HOUR));
    const both = [
      { hour: 9 * HOUR, name: 'created', count: 1 },
      { hour: 9 * HOUR, name: 'mass-revoked', count: 1 },
    ];
    expect(await counters.list('d', 9 * HOUR, 10 * HOUR)).toEqual(both);
    expect(await counters.list('e', 9 * HOUR, 10 * HOUR)).toEqual(both);
    expect(await counters.list('of-the-caller', 9 * HOUR, 10 * HOUR)).toEqual(both.slice(1));
    expect(await counters.list('d\0', 0, 10 * HOUR)).toEqual([]);
  });

  it('says that the store is away', async () => {
    const gone = openPool('postgresql://nobody@127.0.0.1:1/none');
    await expect(new PostgresCounters(gone).list('t', 0, 1)).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    });
    await gone.end();
  });
});
