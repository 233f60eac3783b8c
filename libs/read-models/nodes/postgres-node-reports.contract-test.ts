import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NodeReport } from '#application';
import { eventLogMigrations } from '#event-log';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { PostgresNodeReports, readModelMigrations } from '../index.js';

const report = (nodeId: string, reportedAt: number, changes: Partial<NodeReport> = {}): NodeReport => ({
  nodeId,
  tenants: ['acme'],
  via: 'watch',
  boundMs: 2_000,
  cursor: '7:7:',
  reportedAt,
  ...changes,
});

describe('reports of nodes on PostgreSQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let reports: PostgresNodeReports;
  beforeAll(async () => {
    database = await createDatabase();
    await runMigrations(database.url, [...eventLogMigrations, ...readModelMigrations]);
    pool = openPool(database.url);
    reports = new PostgresNodeReports(pool);
  });
  beforeEach(() => pool.query('truncate curfew.node_reports'));
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  const all = async (since = 0) =>
    [...(await reports.read(since))].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));

  it('keeps one row a node, as it was told', async () => {
    const nodes = [
      report('a', 1, { via: 'kafka', boundMs: 4_294_967_295, cursor: '' }),
      report('b', 1_800_000_000_123, { tenants: ['*', 'ä"{,}'] }),
      report('c {"\\,}', 3),
    ];
    await reports.write(nodes);
    await reports.write(nodes);
    expect(await all()).toEqual(nodes);
  });

  it('takes the place of an older report, not of a newer one', async () => {
    await reports.write([report('a', 5, { cursor: '5:5:' })]);
    await reports.write([report('a', 4, { cursor: '4:4:' })]);
    expect(await all()).toEqual([report('a', 5, { cursor: '5:5:' })]);
    await reports.write([report('a', 6, { cursor: '6:6:', boundMs: 1 })]);
    expect(await all()).toEqual([report('a', 6, { cursor: '6:6:', boundMs: 1 })]);
  });

  it('keeps nodes of one name apart whose keys have other tenants', async () => {
    await reports.write([report('a', 1), report('a', 1, { tenants: ['other'] })]);
    expect((await all()).map(({ tenants }) => tenants)).toHaveLength(2);
  });

  it('reads what is not older, and prunes what is', async () => {
    await reports.write([report('a', 10), report('b', 20)]);
    expect((await all(11)).map(({ nodeId }) => nodeId)).toEqual(['b']);
    await reports.prune(20);
    expect(await all()).toHaveLength(1);
  });

  it('lets instances write the same nodes at once', async () => {
    const nodes = Array.from({ length: 200 }, (_, i) => report(`n${i}`, i));
    const rounds = Array.from({ length: 20 }, (_, i) => (i % 2 ? nodes : [...nodes].reverse()));
    await Promise.all(rounds.map((round) => reports.write(round)));
    expect(await all()).toHaveLength(200);
  });

  it('does not wait for the disk, and leaves the setting of the connection as it was', async () => {
    const client = await pool.connect();
    try {
      const on = new PostgresNodeReports({ query: client.query.bind(client) } as unknown as pg.Pool);
      await on.write([report('a', 1)]);
      const { rows } = await client.query<{ synchronous_commit: string }>('show synchronous_commit');
      expect(rows[0]?.synchronous_commit).toBe('on');
    } finally {
      client.release();
    }
  });

  it('says ERR_UNAVAILABLE when there is no server', async () => {
    const closed = openPool('postgres://127.0.0.1:1/none');
    await expect(new PostgresNodeReports(closed).read(0)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await closed.end();
  });
});
