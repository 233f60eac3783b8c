import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IssuedSession } from '#sdk';
import { runCli } from '../support/cli.js';
import {
  dataFolder,
  eventually,
  externalDatabase,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { inDatabase, OperatedProjections, PROJECTIONS, viewRows } from '../support/projections.js';
import { restClient } from '../support/rest.js';

const CALLERS = 4;
const TAKEOVER = 10_000;
const NO_POSITIONS = [
  ['no position', 'yesterday'],
  ["another log's", `${'1'.padStart(20, '0')}/${'1'.padStart(20, '0')}`],
  ['one that no log can have', `${'9'.repeat(20)}:${'9'.repeat(19)}`],
];
const FOLLOWED = ['security-feed', 'counters'] as const;

describe('projections, on two instances and one PostgreSQL', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let database: OwnPostgres;
  let settings: Record<string, string>;
  let first: TestService;
  let second: TestService;
  let projections: OperatedProjections;

  beforeAll(async () => {
    folder = await dataFolder();
    database = await OwnPostgres.start(folder.path);
    settings = await externalDatabase(folder.path, database.url);
    // The first one owns the projections: it is there before the other.
    first = await startTestService(folder.path, settings);
    projections = new OperatedProjections(first);
    await login(first, 'first');
    await projections.caughtUp();
    second = await startTestService(folder.path, settings);
  });
  afterAll(async () => {
    await Promise.all([first?.child.stop(), second?.child.stop()]);
    await database?.stop();
    await folder.remove();
  });

  const login = async ({ rest }: TestService, sub: string) => {
    const { status, body } = await rest.call<IssuedSession>('POST', '/v1/sessions', { sub });
    expect(status).toBe(201);
    return body;
  };
  const revokeAll = async ({ rest }: TestService, sub: string) => {
    const answer = await rest.call<{ position: string }>('DELETE', `/v1/users/${sub}/sessions`);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const metricsOf = async ({ http, key }: TestService): Promise<string> =>
    (await fetch(`${http}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();

  it('the status, the CLI and the metrics tell of each projection that it is live and caught up', async () => {
    await login(first, 'status');
    await projections.caughtUp();
    const status = await projections.status();
    expect(status.map(({ name, inline }) => [name, inline])).toEqual([
      ['sessions', true],
      ['security-feed', false],
      ['counters', false],
    ]);
    for (const each of status)
      expect(each).toMatchObject({ state: 'live', lagMs: 0, lagEvents: 0, version: 1 });
    const { code, out } = await runCli(first, 'projections', 'list');
    expect(code).toBe(0);
    for (const name of PROJECTIONS) expect(out).toMatch(new RegExp(`^${name} +live +1 .* none`, 'm'));
    const metrics = await metricsOf(first);
    for (const name of PROJECTIONS) {
      expect(metrics).toContain(`curfew_projection_paused{projection="${name}"} 0`);
      expect(metrics).toContain(`curfew_projection_lag_events{projection="${name}"} 0`);
    }
  });

  it('G7: curfew projections rebuild under load: no write fails at the flip, and the new version equals the log', async () => {
    const stop = new AbortController();
    let writes = 0;
    const callers = Array.from({ length: CALLERS }, async (_, index) => {
      const service = index % 2 === 0 ? first : second;
      while (!stop.signal.aborted) {
        const sub = `load-${index}`;
        const { sid, refreshToken } = await login(service, sub);
        const refreshed = await service.rest.call('POST', '/v1/sessions/refresh', { refreshToken });
        const revoked = await service.rest.call('DELETE', `/v1/sessions/${sid}`);
        expect([refreshed.status, revoked.status]).toEqual([200, 200]);
        await revokeAll(service, sub);
        writes += 4;
      }
    });
    for (const caller of callers) caller.catch(() => undefined);
    try {
      await eventually(() => writes > 20);
      for (const name of PROJECTIONS) {
        const before = writes;
        const run = await runCli(first, 'projections', 'rebuild', name);
        expect(run).toMatchObject({ code: 0, err: '' });
        expect(run.out).toContain(`${name} is rebuilt: version 2 is live`);
        await eventually(() => writes > before + CALLERS);
      }
    } finally {
      stop.abort();
    }
    await Promise.all(callers);
    await projections.caughtUp();
    for (const name of PROJECTIONS) {
      const live = await viewRows(database.url, name);
      expect(live.length).toBeGreaterThan(0);
      await projections.rebuild(name);
      expect([name, await viewRows(database.url, name)]).toEqual([name, live]);
    }
  });

  it.each([
    ['of an unknown type', { type: 'session.unheard-of', data: {} }],
    ['of a broken shape', { type: 'session.theft-detected', data: 'not what it was' }],
  ])('G7: an event %s pauses what follows the log, is not skipped, and resume goes on', async (_, poison) => {
    const { position } = await revokeAll(first, 'before-the-poison');
    await projections.caughtUp();
    const before = await viewRows(database.url, 'counters');
    const id = randomUUID();
    const feed = (atLeast: string) =>
      first.rest.call('GET', '/v1/security-feed', undefined, { 'curfew-at-least': atLeast });
    let behind: string;
    await putIntoLog(id, poison);
    try {
      behind = (await revokeAll(first, 'behind-the-poison')).position;
      for (const name of FOLLOWED) await expectPausedAt(name, id, poison.type);
      const { out } = await runCli(first, 'projections', 'list');
      expect(out).toContain(`counters is paused at ${poison.type} ${id}`);
      expect(await viewRows(database.url, 'counters')).toEqual(before);
      // What it took in is still told; what is behind the poison is not, and nobody says otherwise (G8).
      expect((await feed(position)).status).toBe(200);
      expect(await feed(behind)).toMatchObject({ status: 503, body: { code: 'ERR_VIEW_BEHIND' } });
      // Tried again with the cause still there: paused again.
      await projections.resume('counters');
      await expectPausedAt('counters', id, poison.type);
    } finally {
      await inDatabase(database.url, (client) =>
        client.query('DELETE FROM curfew.events WHERE event_id = $1', [id]),
      );
      for (const name of FOLLOWED) await runCli(first, 'projections', 'resume', name);
    }
    await projections.caughtUp();
    expect((await feed(behind)).status).toBe(200);
    expect(await metricsOf(first)).toContain('curfew_projection_paused{projection="counters"} 0');
    const live = await viewRows(database.url, 'counters');
    expect(live).not.toEqual(before);
    await projections.rebuild('counters');
    expect(await viewRows(database.url, 'counters')).toEqual(live);
  });

  /** As no writer of this version could. */
  async function putIntoLog(id: string, { type, data }: { type: string; data: unknown }): Promise<void> {
    await inDatabase(database.url, (client) =>
      client.query(
        `INSERT INTO curfew.events (stream, revision, event_id, type, schema_version, data, metadata)
          VALUES ($1, 0, $2, $3, 1, $4, $5)`,
        [`session-${id}`, id, type, JSON.stringify(data), JSON.stringify({ recordedAt: Date.now() })],
      ),
    );
  }

  async function expectPausedAt(name: (typeof FOLLOWED)[number], eventId: string, eventType: string) {
    const paused = await eventually(
      async () => {
        const status = await projections.of(name);
        return status.state === 'paused' && status;
      },
      { within: TAKEOVER, what: `${name} paused` },
    );
    expect(paused).toMatchObject({ failure: { eventId, eventType } });
    expect(paused.failure?.error).not.toBe('');
    expect(paused.lagEvents).toBeGreaterThanOrEqual(2);
    expect(await metricsOf(first)).toContain(`curfew_projection_paused{projection="${name}"} 1`);
  }

  describe('G8: atLeast', () => {
    const list = (service: TestService, sub: string, position: string) =>
      service.rest.call<{ sessions: { sid: string; status: string }[] }>(
        'GET',
        `/v1/users/${sub}/sessions?includeEnded=true`,
        undefined,
        { 'curfew-at-least': position },
      );

    it('a query at one instance shows the write that the other answered', async () => {
      for (let i = 0; i < 20; i += 1) {
        const [here, there] = i % 2 === 0 ? [first, second] : [second, first];
        const sub = `at-least-${i}`;
        const { sid, position } = await login(here, sub);
        expect((await list(there, sub, position)).body.sessions).toMatchObject([{ sid, status: 'active' }]);
        const revoked = await revokeAll(here, sub);
        expect((await list(there, sub, revoked.position)).body.sessions).toMatchObject([
          { sid, status: 'revoked' },
        ]);
        const feed = await there.rest.call<{ entries: { position: string }[] }>(
          'GET',
          '/v1/security-feed?limit=1',
          undefined,
          { 'curfew-at-least': revoked.position },
        );
        expect(feed.body.entries).toMatchObject([{ position: revoked.position, sub }]);
      }
    });

    it.each(['sessions', 'feed'])(
      'a position far in the future is a 503 that says when to come again (%s)',
      async (view) => {
        const path = view === 'feed' ? '/v1/security-feed' : '/v1/users/user-1/sessions';
        const position = `${'9'.repeat(15).padStart(20, '0')}:${'1'.padStart(19, '0')}`;
        const begun = performance.now();
        const answer = await second.rest.call('GET', path, undefined, { 'curfew-at-least': position });
        expect(answer).toMatchObject({ status: 503, body: { code: 'ERR_VIEW_BEHIND' } });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(performance.now() - begun).toBeLessThan(4_000);
      },
    );

    it.each(NO_POSITIONS)('what is malformed is a 400 (%s)', async (_, position) => {
      const answer = await list(second, 'user-1', position);
      expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_VALIDATION' } });
    });
  });

  it.each(NO_POSITIONS)(
    'time travel to what is no position of this log is a 400 (%s)',
    async (_, position) => {
      const { sid } = await login(second, 'traveller');
      const path = `/v1/audit/sessions/${sid}?atPosition=${encodeURIComponent(position)}`;
      const answer = await second.rest.call('GET', path);
      expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_VALIDATION' } });
    },
  );

  it('when the instance that keeps the projections is killed, the other takes over', async () => {
    await projections.caughtUp();
    const owners = () =>
      inDatabase(database.url, async (client) => {
        const { rows } = await client.query<{ name: string; owner: string | null }>(
          `SELECT name, owner FROM curfew.projections WHERE state = 'live' AND name <> 'sessions' ORDER BY name`,
        );
        return rows;
      });
    const before = await owners();
    expect(before.every(({ owner }) => owner !== null)).toBe(true);
    first.child.signal('SIGKILL');
    await first.child.ended();
    const killed = performance.now();
    const { position } = await revokeAll(second, 'after-the-kill');
    const left = new OperatedProjections(second);
    await eventually(async () => (await left.of('counters')).lagEvents === 0, { within: TAKEOVER });
    await left.caughtUp();
    console.log(`taken over ${Math.round(performance.now() - killed)} ms after the kill`);
    expect(performance.now() - killed).toBeLessThan(TAKEOVER);
    const after = await owners();
    for (const [i, { owner }] of after.entries()) expect(owner).not.toBe(before[i]?.owner);
    const feed = await second.rest.call('GET', '/v1/security-feed?limit=1', undefined, {
      'curfew-at-least': position,
    });
    expect(feed).toMatchObject({ status: 200, body: { entries: [{ sub: 'after-the-kill' }] } });
    expect((await restClient(second.http, second.apiKey).call('GET', '/v1/projections')).status).toBe(200);
  });
});
