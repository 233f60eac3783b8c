import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openPool, startEmbeddedPostgres, type EmbeddedPostgres } from '#platform';
import type { EventLogAlarm } from '../alarm.js';
import { until } from '../testing/until.js';
import { HorizonWatch } from './horizon-watch.js';

/** The horizon belongs to the whole cluster, so it has one of its own, which nobody else writes to. */
describe('PostgreSQL: the watch over the horizon', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  let pool: pg.Pool;
  let elsewhere: pg.Client;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'curfew-horizon-'));
    server = await startEmbeddedPostgres({ folder });
    pool = openPool(server.url, { max: 2 });
    const admin = new pg.Client(server.url);
    await admin.connect();
    await admin.query('alter system set max_prepared_transactions = 4');
    await admin.query('create database elsewhere');
    await admin.end();
    await server.stop();
    server = await startEmbeddedPostgres({ folder });
    const url = new URL(server.url);
    url.pathname = '/elsewhere';
    elsewhere = new pg.Client(url.href);
    await elsewhere.connect();
    await pool.end();
    pool = openPool(server.url, { max: 2 });
  }, 60_000);
  afterAll(async () => {
    await elsewhere.end();
    await pool.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(() => elsewhere.query('rollback'));

  const watching = (limitSeconds = 10) => {
    const alarms: EventLogAlarm[] = [];
    const clock = { now: 0 };
    const watch = new HorizonWatch({
      pool,
      limitSeconds,
      pollMs: 5,
      onAlarm: (alarm) => alarms.push(alarm),
      monotonic: () => clock.now,
    });
    return { watch, alarms, clock };
  };

  it('knows nothing before its first look, and that nothing is held after it', async () => {
    const { watch } = watching();
    expect(watch.stats()).toEqual({ heldSeconds: undefined, held: undefined, episodes: 0 });
    await until(async () => {
      await watch.look();
      return watch.stats().heldSeconds === 0;
    });
    // Without an id a transaction holds nothing back.
    await elsewhere.query('begin');
    await elsewhere.query('select 1');
    await watch.look();
    expect(watch.stats().held).toBeUndefined();
  });

  it('raises one alarm for each time that a transaction, of any database, passes the limit', async () => {
    const { watch, alarms, clock } = watching();
    for (let episode = 1; episode <= 2; episode += 1) {
      await elsewhere.query('begin');
      await elsewhere.query('select pg_current_xact_id()');
      await watch.look();
      expect(alarms).toHaveLength(episode - 1);
      clock.now += 11_000;
      await watch.look();
      await watch.look();
      expect(alarms).toHaveLength(episode);
      expect(alarms.at(-1)).toMatchObject({
        kind: 'horizon-held',
        held: { by: 'transaction', database: 'elsewhere', pid: expect.any(Number), seconds: 11 },
      });
      expect(watch.stats()).toMatchObject({ heldSeconds: 11, episodes: episode });
      await elsewhere.query('rollback');
      await until(async () => {
        await watch.look();
        return watch.stats().heldSeconds === 0;
      });
    }
  });

  it('tells the age by the server’s clock, and how many transactions wait behind', async () => {
    const { watch, alarms } = watching(0.05);
    await elsewhere.query('begin');
    await elsewhere.query('select pg_current_xact_id()');
    for (let i = 0; i < 3; i += 1) await pool.query('select pg_current_xact_id()');
    watch.start();
    await until(() => alarms.length > 0);
    await watch.close();
    const { held } = watch.stats();
    expect(held!.seconds).toBeGreaterThan(0.05);
    expect(held!.transactionsBehind).toBeGreaterThanOrEqual(3);
    expect(alarms).toHaveLength(1);
  });

  it('finds a prepared transaction that nobody has ended', async () => {
    const { watch, alarms, clock } = watching();
    await elsewhere.query('begin');
    await elsewhere.query('select pg_current_xact_id()');
    await elsewhere.query(`prepare transaction 'forgotten'`);
    await watch.look();
    clock.now += 11_000;
    await watch.look();
    await elsewhere.query(`rollback prepared 'forgotten'`);
    expect(alarms).toMatchObject([{ held: { by: 'prepared-transaction', database: 'elsewhere' } }]);
    expect(alarms[0]).not.toHaveProperty('held.pid');
  });

  it('says that it does not know when the server does not answer', async () => {
    const { watch } = watching();
    await watch.look();
    expect(watch.stats().heldSeconds).toBeDefined();
    const gone = openPool(server.url);
    await gone.end();
    const blind = new HorizonWatch({ pool: gone, onAlarm: () => undefined });
    await blind.look();
    expect(blind.stats()).toEqual({ heldSeconds: undefined, held: undefined, episodes: 0 });
  });
});
