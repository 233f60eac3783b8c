import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { EventLog, SessionView } from '#application';
import { AppendSignals, eventLogMigrations, PostgresEventLog } from '#event-log';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { PostgresSessionViews, sessionViewChanges, sessionViewsMigrations } from '../index.js';
import { created, revoked, rotated, to } from '../testing/events.js';

describe('session views on PostgreSQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let signals: AppendSignals;
  let log: EventLog & { close(): Promise<void> };
  let views: PostgresSessionViews;
  beforeAll(async () => {
    database = await createDatabase();
    await runMigrations(database.url, [...eventLogMigrations, ...sessionViewsMigrations]);
    pool = openPool(database.url, { max: 4 });
    signals = new AppendSignals(database.url);
    log = new PostgresEventLog({ url: database.url, pool, signals, projection: sessionViewChanges });
    views = new PostgresSessionViews(pool);
  });
  afterAll(async () => {
    await Promise.all([log.close(), signals.close()]);
    await pool.end();
    await database.drop();
  });

  const list = async (
    sub: string,
    includeEnded = true,
    tenant = 'default',
  ): Promise<readonly SessionView[]> =>
    (await views.listByUser(tenant, sub, { limit: 100, includeEnded })).sessions;

  it('G8: shows creation, rotation and end as soon as the append returns', async () => {
    await log.append([to('life', -1, created('alice', 10_000))]);
    const view = {
      tenant: 'default',
      sub: 'alice',
      sid: 'life',
      client: 'web',
      roles: ['user', 'ünïcode'],
      gen: 0,
      ep: [0, 0, 0, 0],
      createdAt: 10_000,
      lastSeenAt: 10_000,
      idleExpiresAt: 11_000,
      absoluteExpiresAt: 15_000,
      device: { keyId: 'k', box: 'of 10000' },
    };
    expect(await list('alice')).toEqual([view]);

    await log.append([to('life', 0, rotated(1, 10_800))]);
    expect(await list('alice', false)).toEqual([
      { ...view, gen: 1, lastSeenAt: 10_800, idleExpiresAt: 11_800 },
    ]);
    await log.append([to('life', 1, rotated(2, 14_900))]);
    expect(await list('alice')).toMatchObject([{ idleExpiresAt: 15_000 }]);

    await log.append([to('life', 2, revoked('alice', 14_950))]);
    expect(await list('alice', false)).toEqual([]);
    expect(await list('alice')).toMatchObject([
      { gen: 2, ended: { at: 14_950, reason: 'logout', initiator: 'user' } },
    ]);
  });

  it('changes no view for an append that is refused or repeated, also among others in a batch', async () => {
    await log.append([to('taken', -1, created('bob', 1))]);
    const good = to('good', -1, created('bob', 2));
    const results = await Promise.allSettled([
      log.append([good]),
      log.append([to('half', -1, created('bob', 3)), to('taken', 5, rotated(9, 9))]),
      log.append([to('other', -1, created('bob', 4))]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await list('bob')).map(({ sid }) => sid)).toEqual(['other', 'good', 'taken']);

    await log.append([to('good', 0, rotated(1, 50))]);
    await log.append([good]);
    expect((await list('bob')).find(({ sid }) => sid === 'good')).toMatchObject({ gen: 1, lastSeenAt: 50 });
    expect((await list('bob')).find(({ sid }) => sid === 'taken')).toMatchObject({ gen: 0 });
  });

  it('G10: keeps users and tenants apart', async () => {
    await log.append([to('t1', -1, created('carol', 1, 'a'))]);
    await log.append([to('t2', -1, created('carol', 1, 'b'))]);
    expect((await list('carol', true, 'a')).map(({ sid }) => sid)).toEqual(['t1']);
    expect((await list('carol', true, 'b')).map(({ sid }) => sid)).toEqual(['t2']);
    for (const sub of ['nobody', "' or true --", 'carol\0', '\ud800', ''])
      expect(await list(sub, true, 'a')).toEqual([]);
  });

  it('pages through a user’s sessions, newest first, also those of one instant and among new ones', async () => {
    const times = [5, 5, 5, 9, 1, 7, 7, 3, 5];
    for (const [i, at] of times.entries()) await log.append([to(`page-${i}`, -1, created('dave', at))]);
    await log.append([to('page-0', 0, revoked('dave', 20))]);
    const expected = (ended: boolean): string[] =>
      times
        .map((at, i) => ({ at, sid: `page-${i}` }))
        .filter(({ sid }) => ended || sid !== 'page-0')
        .sort((a, b) => b.at - a.at || (a.sid < b.sid ? 1 : -1))
        .map(({ sid }) => sid);
    for (const includeEnded of [true, false]) {
      for (const limit of [1, 2, 4, 9, 50]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await views.listByUser('default', 'dave', {
            limit,
            includeEnded,
            ...(cursor && { cursor }),
          });
          expect(page.sessions.length).toBeLessThanOrEqual(limit);
          seen.push(...page.sessions.map(({ sid }) => sid));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(expected(includeEnded));
      }
    }
    const { nextCursor } = await views.listByUser('default', 'dave', { limit: 4, includeEnded: true });
    await log.append([to('newer', -1, created('dave', 100))]);
    const rest = await views.listByUser('default', 'dave', {
      limit: 9,
      includeEnded: true,
      cursor: nextCursor!,
    });
    expect(rest.sessions.map(({ sid }) => sid)).toEqual(expected(true).slice(4));
  });

  it('shows the epochs that a session has seen', async () => {
    await log.append([to('epochs', -1, created('frank', 1, 'default', [1, 0, 2, 0]))]);
    await log.append([to('epochs', 0, rotated(1, 2))]);
    expect(await list('frank')).toMatchObject([{ ep: [1, 0, 2, 0] }]);
    await log.append([to('epochs', 1, rotated(2, 3, { ep: [1, 4, 2, 9] }))]);
    expect(await list('frank')).toMatchObject([{ ep: [1, 4, 2, 9] }]);
  });

  it('G10: lists a tenant’s sessions of all its users, newest first, page by page', async () => {
    const times = [3, 8, 8, 1, 5, 8];
    for (const [i, at] of times.entries()) {
      await log.append([to(`tenant-${i}`, -1, created(`user-${i % 2}`, at, 'acme'))]);
      await log.append([to(`elsewhere-${i}`, -1, created(`user-${i % 2}`, at, 'acme2'))]);
    }
    await log.append([to('tenant-1', 0, revoked('user-1', 20, 'logout', 'acme'))]);
    await log.append([to('tenant-3', 0, revoked('user-1', 20, 'logout', 'acme'))]);
    const all = ['tenant-5', 'tenant-2', 'tenant-1', 'tenant-4', 'tenant-0', 'tenant-3'];
    for (const includeEnded of [true, false]) {
      const expected = includeEnded ? all : all.filter((sid) => sid !== 'tenant-1' && sid !== 'tenant-3');
      for (const limit of [1, 2, 6, 7]) {
        const seen: SessionView[] = [];
        let cursor: string | undefined;
        do {
          const page = await views.listByTenant('acme', { limit, includeEnded, ...(cursor && { cursor }) });
          seen.push(...page.sessions);
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen.map(({ sid }) => sid)).toEqual(expected);
        expect(
          seen.every(({ tenant, sub, sid }) => tenant === 'acme' && sub === `user-${Number(sid.at(-1)) % 2}`),
        ).toBe(true);
      }
    }
    expect(await views.listByTenant('acme\0', { limit: 5, includeEnded: true })).toEqual({ sessions: [] });
    await expect(
      views.listByTenant('acme', { limit: 5, includeEnded: true, cursor: 'nonsense' }),
    ).rejects.toMatchObject({ code: 'ERR_VALIDATION', field: 'cursor' });
  });

  it('walks all open sessions in bounded steps and names the overdue ones', async () => {
    await pool.query('delete from curfew.session_views');
    // Idle after 1,000, over after 5,000.
    const appends = [];
    for (let i = 0; i < 10; i++)
      appends.push(to(`over-${i}`, -1, created('u', 1_000 + 100 * i, `t${i % 3}`)));
    for (const append of appends) await log.append([append]);
    await log.append([to('over-0', 0, rotated(1, 1_900))]);
    await log.append([to('over-1', 0, revoked('u', 1_500))]);
    const sweep = async (now: number, examine: number): Promise<{ sids: string[]; steps: number }> => {
      const sids: string[] = [];
      let steps = 0;
      let after = '';
      do {
        const step = await views.listOverdue(now, after, examine);
        expect(step.sids.length).toBeLessThanOrEqual(examine);
        sids.push(...step.sids);
        after = step.next;
        steps++;
      } while (after !== '');
      return { sids: sids.sort(), steps };
    };
    for (const [examine, steps] of [
      [1, 10],
      [4, 3],
      [9, 2],
      [10, 1],
    ] as const) {
      // At its deadline a session is dead.
      expect(await sweep(2_500, examine)).toEqual({ sids: ['over-2', 'over-3', 'over-4', 'over-5'], steps });
    }
    expect((await sweep(2_899, 3)).sids).not.toContain('over-0');
    expect((await sweep(2_900, 3)).sids).toContain('over-0');
    // However active it is, the absolute timeout comes.
    await log.append([to('over-9', 0, rotated(1, 6_899))]);
    expect((await sweep(6_899, 3)).sids).not.toContain('over-9');
    expect((await sweep(6_900, 3)).sids).toContain('over-9');
    expect((await sweep(6_900, 3)).sids).toHaveLength(9);
  });

  it('reads no more than a page, by the index of the list, whatever the planner knows', async () => {
    await pool.query(`insert into curfew.session_views (sid, tenant, sub, client, roles, gen, created_at, last_seen_at,
        idle_timeout, absolute_timeout, ended_at, revision, ep_user, ep_client, ep_tenant, ep_global)
      select 'many-' || i, 'big', 'user-' || i % 500, 'web', '[]', 0, i, i, 1000, 5000, case when i % 2 = 0 then i end,
        1, 0, 0, 0, 0 from generate_series(1, 20000) i`);
    const plan = async (list: (explained: PostgresSessionViews) => Promise<unknown>): Promise<string> => {
      let lines: string[] = [];
      const query = async ({
        text,
        values,
      }: {
        text: string;
        values: unknown[];
      }): Promise<{ rows: never[] }> => {
        const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${text}`, values);
        lines = rows.map((row) => row['QUERY PLAN'].trim());
        return { rows: [] };
      };
      await list(new PostgresSessionViews({ query } as unknown as pg.Pool));
      return lines.join('\n');
    };
    for (const statistics of ['', 'analyze curfew.session_views_1']) {
      await pool.query(statistics);
      for (const includeEnded of [true, false]) {
        const page = { limit: 50, includeEnded };
        const ofUser = await plan((explained) => explained.listByUser('big', 'user-1', page));
        expect(ofUser.match(/session_views_of_\w+/g)).toEqual(
          includeEnded
            ? ['session_views_of_user_open_1', 'session_views_of_user_ended_1']
            : ['session_views_of_user_open_1'],
        );
        const ofTenant = await plan((explained) => explained.listByTenant('big', page));
        expect(ofTenant.match(/session_views_of_\w+/g)).toEqual(
          includeEnded
            ? ['session_views_of_tenant_open_1', 'session_views_of_tenant_ended_1']
            : ['session_views_of_tenant_open_1'],
        );
        // Before the first analysis a tenant counts as small: its page may be sorted.
        for (const text of statistics ? [ofUser, ofTenant] : [ofUser]) {
          expect(text.match(/Limit\n-> {2}Index Scan Backward using/g)).toHaveLength(includeEnded ? 2 : 1);
        }
      }
      const overdue = await plan((explained) => explained.listOverdue(1, '', 10));
      if (statistics) expect(overdue).toMatch(/Limit\n-> {2}Index Scan using session_views_of_tenant_open_1/);
    }
    await pool.query(`delete from curfew.session_views where tenant = 'big'`);
  });

  it('refuses a cursor that it did not make', async () => {
    await expect(
      views.listByUser('default', 'dave', { limit: 5, includeEnded: true, cursor: 'nonsense' }),
    ).rejects.toMatchObject({ code: 'ERR_VALIDATION', field: 'cursor' });
  });

  it('applies nothing twice and nothing old', async () => {
    await log.append([to('replay', -1, created('erin', 1))]);
    await log.append([to('replay', 0, rotated(1, 10))]);
    await log.append([to('replay', 1, rotated(2, 20))]);
    const before = await list('erin');
    for (const appends of [
      [to('replay', 0, rotated(1, 10))],
      [to('replay', 1, rotated(2, 20))],
      [to('replay', -1, created('erin', 1))],
    ]) {
      await pool.query('select curfew.apply_inline_views($1::jsonb)', [
        JSON.stringify(sessionViewChanges(appends)),
      ]);
    }
    expect(await list('erin')).toEqual(before);
  });

  it('says that the store is away', async () => {
    const gone = openPool('postgresql://nobody@127.0.0.1:1/none');
    await expect(
      new PostgresSessionViews(gone).listByUser('t', 's', { limit: 1, includeEnded: true }),
    ).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await gone.end();
  });
});
