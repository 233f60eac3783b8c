import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { eventLogMigrations } from '#event-log';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { openPostgresLog } from '../event-log/testing/open-postgres-log.js';
import {
  countersProjection,
  PostgresSessionViews,
  readModelMigrations,
  securityFeedProjection,
  sessionsProjection,
  sessionViewChanges,
} from './index.js';
import { created, revoked, rotated, to } from './testing/events.js';

const PROJECTIONS = [sessionsProjection, securityFeedProjection, countersProjection];
const FIRST = readModelMigrations.slice(0, 1);

/** As versions before wrote it. */
const OLD_CHANGES = [
  {
    sid: 'old-open',
    revision: 0,
    tenant: 'default',
    sub: 'ann',
    client: 'web',
    roles: ['user'],
    gen: 0,
    created_at: 100,
    last_seen_at: 100,
    idle_timeout: 1_000,
    absolute_timeout: 5_000,
    device: { keyId: 'k', box: 'b' },
  },
  {
    sid: 'old-ended',
    revision: 1,
    tenant: 'default',
    sub: 'ann',
    client: 'web',
    roles: [],
    gen: 0,
    created_at: 50,
    last_seen_at: 50,
    idle_timeout: 1_000,
    absolute_timeout: 5_000,
    ended_at: 60,
    ended_reason: 'logout',
    ended_initiator: 'user',
  },
];

describe('the migrations of the read models', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeEach(async () => {
    database = await createDatabase();
    pool = openPool(database.url);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  const applyInline = (changes: readonly object[]): Promise<unknown> =>
    pool.query('select curfew.apply_inline_views($1::jsonb)', [JSON.stringify(changes)]);

  it('keep the session views of before; they have seen no epoch, and go on', async () => {
    await runMigrations(database.url, [...eventLogMigrations, ...FIRST]);
    await applyInline(OLD_CHANGES);
    await runMigrations(database.url, readModelMigrations);

    const views = new PostgresSessionViews(pool);
    const ann = async (): Promise<unknown> =>
      (await views.listByUser('default', 'ann', { limit: 9, includeEnded: true })).sessions;
    const before = [
      { sid: 'old-open', gen: 0, lastSeenAt: 100, ep: [0, 0, 0, 0], device: { keyId: 'k', box: 'b' } },
      { sid: 'old-ended', ended: { at: 60, reason: 'logout', initiator: 'user' } },
    ];
    expect(await ann()).toMatchObject(before);

    // An instance of before still runs beside: its changes know no epochs.
    await applyInline([{ sid: 'old-open', revision: 1, gen: 1, last_seen_at: 200 }]);
    await applyInline([{ ...OLD_CHANGES[0], sid: 'old-new', created_at: 300 }]);
    expect(await ann()).toMatchObject([
      { sid: 'old-new', ep: [0, 0, 0, 0] },
      { sid: 'old-open', gen: 1, lastSeenAt: 200, ep: [0, 0, 0, 0] },
      { sid: 'old-ended' },
    ]);
    await applyInline([
      { sid: 'old-open', revision: 2, gen: 2, ep_user: 3, ep_client: 0, ep_tenant: 0, ep_global: 1 },
      { sid: 'old-new', revision: 1, ended_at: 400, ended_reason: 'idle', ended_initiator: 'policy' },
    ]);
    expect(await ann()).toMatchObject([
      { sid: 'old-new', ended: { reason: 'idle' } },
      { sid: 'old-open', gen: 2, ep: [3, 0, 0, 1] },
      {},
    ]);
  });

  it('G7: what was written before them is what a rebuild makes', async () => {
    await runMigrations(database.url, [...eventLogMigrations, ...FIRST]);
    // What `sessionViewChanges` made before it knew epochs.
    const withoutEpochs = (appends: Parameters<typeof sessionViewChanges>[0]): object[] =>
      sessionViewChanges(appends).map((change) =>
        Object.fromEntries(Object.entries(change).filter(([column]) => !column.startsWith('ep_'))),
      );
    const instance = await openPostgresLog(database.url, withoutEpochs);
    await instance.log.append([to('a', -1, created('u', 10))]);
    await instance.log.append([to('b', -1, created('u', 20))]);
    await instance.log.append([to('a', 0, rotated(1, 30))]);
    await instance.log.append([to('b', 0, revoked('u', 40))]);
    await runMigrations(database.url, readModelMigrations);
    await instance.log.append([to('a', 1, rotated(2, 50))]);
    await pool.query(sessionsProjection.createTables(2));
    await sessionsProjection.apply(pool, 2, (await instance.log.readAll('', 100)).events);
    await instance.close();
    const rows = async (version: number): Promise<string[]> => {
      const { rows: texts } = await pool.query<{ row: string }>(
        `select t::text as row from curfew.session_views_${version} t order by 1`,
      );
      return texts.map(({ row }) => row);
    };
    expect(await rows(1)).toHaveLength(2);
    expect(await rows(1)).toEqual(await rows(2));
  });

  it.each(PROJECTIONS)('leave the version 1 of $name that a rebuild would make', async (projection) => {
    await runMigrations(database.url, [...eventLogMigrations, ...readModelMigrations]);
    await pool.query(projection.createTables(2));
    const shape = async (table: string, version: number): Promise<unknown> => {
      const name = `${table}_${version}`;
      const { rows: columns } = await pool.query(
        `select column_name, data_type, collation_name, is_nullable, column_default from information_schema.columns
          where table_schema = 'curfew' and table_name = $1 order by ordinal_position`,
        [name],
      );
      const { rows: indexes } = await pool.query<{ indexdef: string }>(
        `select indexdef from pg_indexes where schemaname = 'curfew' and tablename = $1 order by indexname`,
        [name],
      );
      const { rows: options } = await pool.query('select reloptions from pg_class where relname = $1', [
        name,
      ]);
      expect(columns.length).toBeGreaterThan(3);
      return {
        columns,
        options,
        indexes: indexes.map(({ indexdef }) => indexdef.replaceAll(`_${version} `, '_N ')),
      };
    };
    for (const table of projection.tables) {
      expect(await shape(table, 1)).toEqual(await shape(table, 2));
      // The view may be turned to it: same columns in the same order.
      await pool.query(`create or replace view curfew.${table} as select * from curfew.${table}_2`);
    }
  });

  it('index nothing that a refresh changes', async () => {
    await runMigrations(database.url, [...eventLogMigrations, ...readModelMigrations]);
    const { rows } = await pool.query<{ attname: string }>(
      `select distinct a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid
          and (a.attnum = any (i.indkey) or pg_get_expr(i.indpred, i.indrelid) like '%' || a.attname || '%')
        where i.indrelid = 'curfew.session_views_1'::regclass and a.attnum > 0 order by 1`,
    );
    const indexed = rows.map(({ attname }) => attname);
    expect(indexed).toEqual(['created_at', 'ended_at', 'sid', 'sub', 'tenant']);
    const refresh = sessionViewChanges([
      to('s', 4, rotated(1, 5, { ep: [1, 1, 1, 1], device: { keyId: 'k', box: 'b' } })),
    ]);
    const changed = Object.keys(refresh[0]!).filter((column) => column !== 'sid');
    expect(changed.filter((column) => indexed.includes(column))).toEqual([]);
  });

  it('run once, and again without an effect', async () => {
    await runMigrations(database.url, [...eventLogMigrations, ...readModelMigrations]);
    await applyInline([{ ...OLD_CHANGES[0], sid: randomUUID() }]);
    await runMigrations(database.url, [...eventLogMigrations, ...readModelMigrations]);
    expect((await pool.query('select 1 from curfew.session_views')).rows).toHaveLength(1);
  });
});
