import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Curfew, IssuedSession } from '#sdk';
import {
  dataFolder,
  eventually,
  externalDatabase,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { startNode } from '../support/nodes.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { OperatedProjections } from '../support/projections.js';
import type { RestAnswer } from '../support/rest.js';

const CALLERS = 8;
/** No call hangs for longer, whatever the database does; the event loop of a busy machine is in it. */
const LONGEST_CALL = 5_500;
/** Nodes and projections are back by then. */
const RECOVERY = 10_000;

interface Kept {
  readonly sid: string;
  gen: number;
  revoked: boolean;
}

interface Call {
  readonly what: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly ms: number;
  /** It began and ended while there was no database. */
  readonly outage: boolean;
}

const freshKey = (): string => randomBytes(16).toString('base64url');

describe('the PostgreSQL server is killed and comes back under load', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let database: OwnPostgres;
  let service: TestService;
  let node: Curfew;
  let down = false;
  const kept: Kept[] = [];
  const calls: Call[] = [];

  beforeAll(async () => {
    folder = await dataFolder();
    database = await OwnPostgres.start(folder.path);
    service = await startTestService(folder.path, await externalDatabase(folder.path, database.url));
    node = await startNode(service);
  });
  afterAll(async () => {
    await node?.close();
    await service?.child.stop();
    await database?.stop();
    await folder.remove();
  });

  it(`G9: writes fail fast with 503, nothing acknowledged is lost, and all goes on in the same process (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    const projections = new OperatedProjections(service);
    const { pid } = service.child;
    for (let round = 0; round < rounds(2); round += 1) {
      const stop = new AbortController();
      const callers = Array.from({ length: CALLERS }, (_, index) => load(`user-${index}`, stop.signal));
      await pause(200 + random() * 800);
      await database.kill();
      down = true;
      await pause(500 + random() * 2_000);
      const written = kept.length;
      down = false;
      await database.restart();
      await eventually(() => kept.length > written + CALLERS, {
        within: RECOVERY,
        what: 'writes after the restart',
      });
      await pause(random() * 300);
      stop.abort();
      await Promise.all(callers);

      expect(service.child.running && service.child.pid === pid).toBe(true);
      await eventually(() => node.lease().fresh, { within: RECOVERY, what: 'the lease of the node' });
      await expectRevocationsReachTheNode();
      await projections.caughtUp();
      for (const session of kept.slice(-300)) await expectKept(session);
    }
    for (const session of kept) await expectKept(session);
    expectFastRefusals();
  });

  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  /** What every call may answer: what it is for, or a 503 that says when to come again. */
  function expectFastRefusals(): void {
    const refused = calls.filter(({ status }) => status >= 400);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter(({ status, retryAfter }) => status !== 503 || !(Number(retryAfter) > 0))).toEqual(
      [],
    );
    expect(calls.filter(({ ms }) => ms > LONGEST_CALL)).toEqual([]);
    // While the database is away nothing is told to be done.
    const outage = calls.filter((call) => call.outage);
    expect(outage.filter(({ status }) => status !== 503)).toEqual([]);
    expect(new Set(outage.map(({ what }) => what))).toEqual(new Set(['create', 'refresh', 'revoke', 'list']));
    const slowest = Math.max(...outage.map(({ ms }) => ms));
    console.log(
      `${calls.length} calls, ${refused.length} refused; slowest in the outage ${Math.round(slowest)} ms`,
    );
  }

  async function timed<T>(what: string, call: () => Promise<RestAnswer<T>>): Promise<RestAnswer<T>> {
    const begun = performance.now();
    const wasDown = down;
    const answer = await call();
    const { status, headers } = answer;
    const ms = performance.now() - begun;
    calls.push({ what, status, retryAfter: headers.get('retry-after'), ms, outage: wasDown && down });
    if (status >= 400) await pause(20);
    return answer;
  }

  /** One caller: a session's life over and over. What fails is repeated with its key, as a client would. */
  async function load(sub: string, stop: AbortSignal): Promise<void> {
    const { rest } = service;
    // Refreshed with one key, again and again, where there is no newer one: the answer stays the same.
    const spare = await timed('create', () => rest.call<IssuedSession>('POST', '/v1/sessions', { sub }));
    const key = freshKey();
    let sid: string | undefined;
    while (!stop.aborted) {
      const created = await timed('create', () => rest.call<IssuedSession>('POST', '/v1/sessions', { sub }));
      // Every kind of call goes on in the outage, with what there is.
      const session = created.status === 201 ? { sid: created.body.sid, gen: 0, revoked: false } : undefined;
      if (session) kept.push(session);
      if (session) await keepRefreshing(created.body, session, stop);
      else if (spare.status === 201) await timed('refresh', () => refresh(spare.body.refreshToken, key));
      // One of its own: another caller's may be refreshed just then.
      sid = session?.sid ?? sid;
      await timed('list', () => rest.call('GET', `/v1/users/${sub}/sessions?limit=5`));
      if (sid === undefined) continue;
      const revoked = await timed('revoke', () => rest.call('DELETE', `/v1/sessions/${sid}`));
      const ended = kept.find((each) => each.sid === sid);
      if (revoked.status === 200 && ended) ended.revoked = true;
    }
  }

  const refresh = (refreshToken: string, key: string): Promise<RestAnswer<IssuedSession>> =>
    service.rest.call<IssuedSession>(
      'POST',
      '/v1/sessions/refresh',
      { refreshToken },
      { 'idempotency-key': key },
    );

  async function keepRefreshing(created: IssuedSession, session: Kept, stop: AbortSignal): Promise<void> {
    let { refreshToken } = created;
    let key = freshKey();
    let failures = 0;
    while (session.gen < 3 && failures < 2 && !stop.aborted) {
      const answer = await timed('refresh', () => refresh(refreshToken, key));
      if (answer.status !== 200) {
        failures += 1;
        continue;
      }
      session.gen = answer.body.gen;
      ({ refreshToken } = answer.body);
      key = freshKey();
    }
  }

  async function expectKept({ sid, gen, revoked }: Kept): Promise<void> {
    const { status, body } = await service.rest.call<{ gen: number; status: string }>(
      'GET',
      `/v1/sessions/${sid}`,
    );
    expect({ sid, status }).toEqual({ sid, status: 200 });
    expect(body.gen).toBeGreaterThanOrEqual(gen);
    if (revoked) expect(body.status).toBe('revoked');
  }

  async function expectRevocationsReachTheNode(): Promise<void> {
    const { body } = await service.rest.call<IssuedSession & { accessToken: string }>(
      'POST',
      '/v1/sessions',
      {
        sub: 'watched',
      },
    );
    expect((await node.verify(body.accessToken)).sid).toBe(body.sid);
    await service.rest.call('DELETE', `/v1/sessions/${body.sid}`);
    await eventually(
      () =>
        node.verify(body.accessToken).then(
          () => false,
          () => true,
        ),
      { within: 2_000 },
    );
  }
});
