import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NewEvent, RecordedEvent, SecurityFeedEntry } from '#application';
import { scopeStream, sessionStream, type ScopeRef } from '#domain';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { PostgresSecurityFeed, securityFeedMigrations, securityFeedProjection } from '../index.js';
import { anEvent, revoked } from '../testing/events.js';

describe('the security feed on PostgreSQL', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let feed: PostgresSecurityFeed;
  beforeAll(async () => {
    database = await createDatabase();
    pool = openPool(database.url);
    await runMigrations(database.url, securityFeedMigrations);
    feed = new PostgresSecurityFeed(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  let position = 0;
  const recorded = (stream: string, event: NewEvent): RecordedEvent => ({
    ...event,
    stream,
    revision: 1,
    position: `p-${String(++position)}`,
  });
  const theft = (sid: string, tenant: string, recordedAt: number): RecordedEvent =>
    recorded(
      sessionStream(sid),
      anEvent(
        { type: 'session.theft-detected', data: { presentedGen: 1, currentGen: 3 } },
        { tenant, recordedAt },
      ),
    );
  const massRevocation = (scope: ScopeRef, recordedAt: number): RecordedEvent =>
    recorded(
      scopeStream(scope),
      anEvent(
        {
          type: 'scope.revoked',
          data: {
            revocationId: 'r-1',
            ...scope,
            epoch: 1,
            excepted: {},
            reason: 'admin',
            initiator: 'admin',
            at: recordedAt,
          },
        },
        { tenant: 'of-the-caller', recordedAt },
      ),
    );
  const apply = (...events: RecordedEvent[]): Promise<void> => securityFeedProjection.apply(pool, 1, events);

  const pages = async (tenant: string, limit: number): Promise<SecurityFeedEntry[]> => {
    const entries: SecurityFeedEntry[] = [];
    let cursor: string | undefined;
    do {
      const page = await feed.list(tenant, { limit, ...(cursor && { cursor }) });
      expect(page.entries.length).toBeLessThanOrEqual(limit);
      entries.push(...page.entries);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return entries;
  };

  it('shows a theft, and whose session it was', async () => {
    const event = theft('stolen', 'shop', 50);
    await apply(event);
    expect(await pages('shop', 9)).toEqual([
      {
        eventId: event.id,
        kind: 'session.theft-detected',
        at: 50,
        position: event.position,
        tenant: 'shop',
        sid: 'stolen',
        detail: { presentedGen: 1, currentGen: 3 },
      },
    ]);
    await apply(recorded(sessionStream('stolen'), revoked('victim', 50, 'theft', 'shop')));
    expect(await pages('shop', 9)).toMatchObject([{ sid: 'stolen', sub: 'victim' }]);
  });

  it('G10: shows a tenant its own entries and the global mass revocations, newest first', async () => {
    const global = massRevocation({ kind: 'global' }, 105);
    const [a, b] = [theft('a', 'one', 100), massRevocation({ kind: 'user', tenant: 'one', sub: 'u' }, 110)];
    const other = massRevocation({ kind: 'tenant', tenant: 'two' }, 108);
    await apply(other, b, a, global);
    const ids = async (tenant: string): Promise<string[]> =>
      (await pages(tenant, 9)).map(({ eventId }) => eventId);
    expect(await ids('one')).toEqual([b.id, global.id, a.id]);
    expect(await ids('two')).toEqual([other.id, global.id]);
    expect(await ids('of-the-caller')).toEqual([global.id]);
    expect((await pages('one', 9))[0]).toMatchObject({ tenant: 'one', sub: 'u', detail: { kind: 'user' } });
    for (const tenant of ['', "' or true --", 'one\0', '\ud800']) {
      const shown = await ids(tenant);
      expect(shown.filter((id) => id !== global.id)).toEqual([]);
    }
    await pool.query('delete from curfew.security_feed');
  });

  it('pages through entries, also those of one instant, and of both parts', async () => {
    const events = Array.from({ length: 24 }, (_, i) => {
      const at = Math.floor(i / 5);
      return i % 3 === 0 ? massRevocation({ kind: 'global' }, at) : theft(`s-${i}`, 'many', at);
    });
    await apply(...events);
    const expected = events
      .map(({ id, metadata }) => ({ id, at: metadata.recordedAt }))
      .sort((x, y) => y.at - x.at || (x.id < y.id ? 1 : -1))
      .map(({ id }) => id);
    for (const limit of [1, 2, 5, 23, 24, 50]) {
      expect((await pages('many', limit)).map(({ eventId }) => eventId)).toEqual(expected);
    }
  });

  it('refuses a cursor that it did not make', async () => {
    await expect(feed.list('many', { limit: 5, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
      field: 'cursor',
    });
  });

  it('says that the store is away', async () => {
    const gone = openPool('postgresql://nobody@127.0.0.1:1/none');
    await expect(new PostgresSecurityFeed(gone).list('t', { limit: 1 })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    });
    await gone.end();
  });
});
