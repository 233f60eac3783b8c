import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Curfew, IssuedSession, SessionInfo } from '#sdk';
import {
  dataFolder,
  eventually,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { embeddedUrl } from '../support/embedded.js';
import { doubleOf, isDouble, KURRENTDB, logEnvironment } from '../support/log.js';
import { startNode } from '../support/nodes.js';
import { inDatabase, OperatedProjections, PROJECTIONS, viewRows } from '../support/projections.js';
import { killAfter, Traffic } from '../support/traffic.js';

const B = 2_000;
const CALLERS = 4;
/** No call hangs for longer, whatever the log does. */
const LONGEST_CALL = 5_500;
type Login = IssuedSession & { readonly accessToken: string; readonly viewPending?: boolean };
type Page = { readonly sessions: readonly SessionInfo[] };

const freshKey = (): string => randomBytes(16).toString('base64url');

describe(`the service with its log in KurrentDB (${KURRENTDB})`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let node: Curfew;

  const start = async (): Promise<TestService> => {
    const log = await logEnvironment(folder.path, 'kurrentdb');
    return startTestService(folder.path, { ...log, CURFEW_REUSE_GRACE: '0' });
  };
  beforeAll(async () => {
    folder = await dataFolder();
    service = await start();
    node = await startNode(service);
  });
  afterAll(async () => {
    await node?.close();
    await service?.child.stop();
    await folder.remove();
  });

  const login = async (sub: string): Promise<Login> => {
    const { status, body } = await service.rest.call<Login>('POST', '/v1/sessions', { sub });
    expect(status).toBe(201);
    return body;
  };
  const refresh = (refreshToken: string, key?: string) =>
    service.rest.call<Login>(
      'POST',
      '/v1/sessions/refresh',
      { refreshToken },
      key === undefined ? {} : { 'idempotency-key': key },
    );
  const accepts = ({ accessToken }: Login): Promise<boolean> =>
    node.verify(accessToken).then(
      () => true,
      (error: { code: string }) => {
        expect(error.code).toBe('ERR_TOKEN_REFUSED');
        return false;
      },
    );
  const expectRefusedByNode = (session: Login) =>
    eventually(async () => !(await accepts(session)), { within: B, what: 'a refusal' });
  const list = async (sub: string, position: string): Promise<Page> => {
    const path = `/v1/users/${sub}/sessions?includeEnded=true`;
    const answer = await service.rest.call<Page>('GET', path, undefined, { 'curfew-at-least': position });
    expect(answer.status).toBe(200);
    return answer.body;
  };

  it('the events are in KurrentDB, and not in PostgreSQL', async () => {
    const { position } = await login('where');
    expect(position).toMatch(/^\d{20}\/\d{20}$/);
    const inPostgres = await inDatabase(embeddedUrl(folder.path), (client) =>
      client.query('SELECT 1 FROM curfew.events LIMIT 1'),
    );
    expect(inPostgres.rowCount).toBe(0);
  });

  it('G3 G4: a refresh whose answer was lost gets the same successor; a superseded token without its key is theft', async () => {
    const created = await login('refreshes');
    expect(await accepts(created)).toBe(true);
    const key = freshKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(created.refreshToken, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.refreshToken}`)).size).toBe(1);
    const successor = answers[0]!.body;
    expect(await accepts(successor)).toBe(true);
    const next = await refresh(successor.refreshToken);
    expect(next.status).toBe(200);

    expect((await refresh(created.refreshToken)).status).toBe(401);
    await expectRefusedByNode(successor);
    expect((await refresh(next.body.refreshToken)).status).toBe(401);
    const history = await service.rest.call<{ events: { type: string }[] }>(
      'GET',
      `/v1/sessions/${created.sid}/events`,
    );
    expect(history.body.events.map(({ type }) => type).slice(-2)).toEqual([
      'session.theft-detected',
      'session.revoked',
    ]);
  });

  it('G2: a revoked session is refused by a node that had it cached', async () => {
    const session = await login('revoked');
    expect(await accepts(session)).toBe(true);
    expect((await service.rest.call('DELETE', `/v1/sessions/${session.sid}`)).body).toMatchObject({
      revoked: true,
    });
    await expectRefusedByNode(session);
    expect((await refresh(session.refreshToken)).status).toBe(401);
  });

  it('G5: all but me, by one append; what was excepted lives on', async () => {
    const [me, other] = [await login('mass'), await login('mass')];
    for (const session of [me, other]) expect(await accepts(session)).toBe(true);
    const { body } = await service.rest.call<{ position: string }>(
      'DELETE',
      `/v1/users/mass/sessions?except=${me.sid}`,
    );
    await expectRefusedByNode(other);
    expect(await accepts(me)).toBe(true);
    expect((await refresh(me.refreshToken)).status).toBe(200);
    expect((await refresh(other.refreshToken)).status).toBe(401);
    const { sessions } = await list('mass', body.position);
    expect(Object.fromEntries(sessions.map(({ sid, status }) => [sid, status]))).toEqual({
      [me.sid]: 'active',
      [other.sid]: 'revoked',
    });
  });

  it('G8: a list shows the write whose position it names, also one whose view was pending', async () => {
    for (let i = 0; i < 20; i += 1) {
      const { sid, position, viewPending } = await login(`listed-${i}`);
      // Said, or shown: without a position, too.
      const shown = await service.rest.call<Page>('GET', `/v1/users/listed-${i}/sessions`);
      if (viewPending === undefined) expect(shown.body.sessions).toMatchObject([{ sid }]);
      expect((await list(`listed-${i}`, position)).sessions).toMatchObject([{ sid, status: 'active' }]);
    }
    const noPositions = [
      'no-position',
      `${'0'.repeat(20)}:${'1'.padStart(19, '0')}`,
      `${'9'.repeat(20)}/${'9'.repeat(20)}`,
    ];
    for (const position of noPositions) {
      const answer = await service.rest.call('GET', '/v1/users/u/sessions', undefined, {
        'curfew-at-least': position,
      });
      expect([position, answer.status, answer.body['code']]).toEqual([position, 400, 'ERR_VALIDATION']);
    }
    const ahead = `${'9'.repeat(15).padStart(20, '0')}/${'9'.repeat(15).padStart(20, '0')}`;
    const answer = await service.rest.call('GET', '/v1/users/u/sessions', undefined, {
      'curfew-at-least': ahead,
    });
    expect(answer).toMatchObject({ status: 503, body: { code: 'ERR_VIEW_BEHIND' } });
  });

  it('tells how a session and a user were, as of a position', async () => {
    const { sid, position: created } = await login('travel');
    const { body } = await service.rest.call<{ position: string }>('DELETE', `/v1/sessions/${sid}`);
    const at = async (position: string) =>
      (await service.rest.call('GET', `/v1/audit/sessions/${sid}?atPosition=${encodeURIComponent(position)}`))
        .body;
    expect(await at(created)).toMatchObject({ sid, status: 'active' });
    expect(await at(body.position)).toMatchObject({ sid, status: 'revoked', endedReason: 'admin' });
    const path = `/v1/audit/users/travel/sessions?atPosition=${encodeURIComponent(created)}`;
    expect((await service.rest.call('GET', path)).body).toMatchObject({
      sessions: [{ sid, status: 'active' }],
    });
  });

  (isDouble ? it : it.skip)(
    'G9: the log is away for a while: 503 with Retry-After, nothing acknowledged is lost, the same process goes on',
    async () => {
      const double = await doubleOf(folder.path);
      const { pid } = service.child;
      const session = await login('outage');
      await double.stop();
      const refused = async (call: () => ReturnType<typeof refresh>) => {
        const begun = performance.now();
        const { status, headers } = await call();
        expect(status).toBe(503);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(performance.now() - begun).toBeLessThan(LONGEST_CALL);
      };
      const key = freshKey();
      await Promise.all([
        refused(() => service.rest.call('POST', '/v1/sessions', { sub: 'outage' })),
        refused(() => refresh(session.refreshToken, key)),
        refused(() => service.rest.call('DELETE', `/v1/sessions/${session.sid}`)),
        refused(() => service.rest.call('DELETE', '/v1/users/outage/sessions')),
      ]);
      await eventually(() => !node.lease().fresh, { within: 2 * B, what: 'the end of the lease' });

      await double.restart();
      const next = await eventually(
        async () => {
          const answer = await refresh(session.refreshToken, key);
          return answer.status === 200 && answer.body;
        },
        { what: 'a refresh after the restart' },
      );
      await eventually(() => node.lease().fresh, { what: 'the lease of the node' });
      expect(await accepts(next)).toBe(true);
      await service.rest.call('DELETE', `/v1/sessions/${session.sid}`);
      await expectRefusedByNode(next);
      expect(service.child.pid === pid && service.child.running).toBe(true);
      await new OperatedProjections(service).caughtUp();
    },
  );

  it(`G7 G9: kill -9 of the service loses nothing acknowledged, and live views equal a rebuild (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    for (let round = 0; round < rounds(2); round += 1) {
      const traffic = new Traffic(random);
      const victim = service;
      await Promise.all([
        killAfter(200 + random() * 500, victim),
        ...Array.from({ length: CALLERS }, (_, index) =>
          traffic.play(victim, `killed-${round}-${index}`, {
            refreshes: 10,
            ends: ['revoke', 'mass', 'theft'],
          }),
        ),
      ]);
      service = await start();
      expect(traffic.acknowledged.length).toBeGreaterThan(0);
      await traffic.expectKept(service);
      await traffic.expectSameSuccessors(service);
    }
    const projections = new OperatedProjections(service);
    await projections.caughtUp();
    const url = embeddedUrl(folder.path);
    for (const name of PROJECTIONS) {
      const live = await viewRows(url, name);
      expect(live.length).toBeGreaterThan(0);
      await projections.rebuild(name);
      expect([name, await viewRows(url, name)]).toEqual([name, live]);
    }
  });
});
