import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { EventLog, NewEvent, SessionView, StreamAppend } from '#application';
import { sessionStream, type SessionEvent } from '#domain';
import { AppendSignals, eventLogMigrations, PostgresEventLog } from '#event-log';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { PostgresSessionViews, sessionViewChanges, sessionViewsMigrations } from './index.js';

const event = ({ type, data }: SessionEvent): NewEvent => ({
  id: randomUUID(),
  type,
  schemaVersion: 1,
  data,
  metadata: {
    recordedAt: 1,
    actor: { kind: 'system', id: 'test' },
    initiator: 'user',
    tenant: 'default',
    correlationId: 'c',
  },
});

const created = (sub: string, at: number, tenant = 'default'): NewEvent =>
  event({
    type: 'session.created',
    data: {
      sub,
      tenant,
      client: 'web',
      roles: ['user', 'ünïcode'],
      authTime: 1,
      policy: { accessTtl: 1, idleTimeout: 1_000, absoluteTimeout: 5_000, reuseGrace: 10 },
      macKeyId: 1,
      secretHash: 'h',
      at,
      accessExp: 9,
      device: { keyId: 'k', box: `of ${at}` },
    },
  });
const rotated = (gen: number, at: number): NewEvent =>
  event({
    type: 'session.rotated',
    data: { gen, secretHash: 'h', salt: 's', pepperId: 1, macKeyId: 1, at, supersededAt: at, accessExp: 9 },
  });
const revoked = (sub: string, at: number): NewEvent =>
  event({
    type: 'session.revoked',
    data: { sub, tenant: 'default', reason: 'logout', initiator: 'user', at },
  });
const to = (sid: string, expectedRevision: number, ...events: NewEvent[]): StreamAppend => ({
  stream: sessionStream(sid),
  expectedRevision,
  events,
});

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
