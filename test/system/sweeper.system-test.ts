import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IssuedSession } from '#sdk';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { onLog } from '../support/log.js';

const IDLE = { CURFEW_IDLE_TIMEOUT: '1s' };
type Login = IssuedSession & { readonly accessToken: string };

interface History {
  readonly events: readonly {
    readonly type: string;
    readonly actor: { readonly kind: string; readonly id: string };
    readonly initiator: string;
    readonly data: Readonly<Record<string, unknown>>;
  }[];
}

describe(`sessions that time ends${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;

  beforeAll(async () => {
    folder = await dataFolder();
  });
  afterAll(async () => {
    await service.child.stop();
    await folder.remove();
  });

  const start = async (sweepInterval: string) => {
    service = await startTestService(folder.path, { ...IDLE, CURFEW_SWEEP_INTERVAL: sweepInterval });
  };
  const login = async (): Promise<Login> =>
    (await service.rest.call<Login>('POST', '/v1/sessions', { sub: 'user-1' })).body;
  const get = async ({ sid }: Login) => (await service.rest.call('GET', `/v1/sessions/${sid}`)).body;
  const history = async ({ sid }: Login) =>
    (await service.rest.call<History>('GET', `/v1/sessions/${sid}/events`)).body.events;
  const typesOf = async (session: Login) => (await history(session)).map(({ type }) => type);

  async function expectRefused({ refreshToken, accessToken }: Login): Promise<void> {
    const refreshed = await service.rest.call('POST', '/v1/sessions/refresh', { refreshToken });
    expect(refreshed).toMatchObject({ status: 401, body: { code: 'ERR_TOKEN_REFUSED' } });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const introspected = await service.rest.call('POST', '/v1/introspect', `token=${accessToken}`, form);
    expect(introspected).toMatchObject({ status: 200, body: { active: false } });
  }

  it('G1: with the sweeper off, expiry holds at every use and nothing is written', async () => {
    await start('0');
    const [one, other] = [await login(), await login()];
    for (const session of [one, other]) {
      // Not by a refresh: it would keep the session alive.
      await eventually(async () => (await get(session))['status'] === 'expired', { within: 5_000 });
      expect(await get(session)).toMatchObject({ status: 'expired', endedReason: 'idle' });
      await expectRefused(session);
    }
    const list = await service.rest.call('GET', '/v1/users/user-1/sessions');
    expect(list.body).toMatchObject({ sessions: [] });
    for (const session of [one, other]) expect(await typesOf(session)).toEqual(['session.created']);
    await service.child.stop();
  });

  it('puts session.expired on record, once, by the system and with the time at which it ended', async () => {
    await start('250ms');
    const before = await service.rest.call<{ sessions: Login[] }>(
      'GET',
      '/v1/users/user-1/sessions?includeEnded=true',
    );
    const session = await login();
    expect(await typesOf(session)).toEqual(['session.created']);
    const swept = await eventually(
      async () => {
        const events = await history(session);
        return events.length > 1 && events;
      },
      { within: 10_000, what: 'session.expired' },
    );
    const { idleExpiresAt } = (await get(session)) as { idleExpiresAt: number };
    expect(swept).toHaveLength(2);
    expect(swept[1]).toMatchObject({
      type: 'session.expired',
      actor: { kind: 'system', id: 'sweeper' },
      initiator: 'policy',
      data: { reason: 'idle' },
    });
    expect(Math.floor((swept[1]!.data['at'] as number) / 1_000)).toBe(idleExpiresAt);
    await expectRefused(session);
    // And what had expired while nobody swept.
    expect(before.body.sessions).toHaveLength(2);
    for (const old of before.body.sessions) {
      await eventually(async () => (await typesOf(old)).includes('session.expired'));
      expect(await typesOf(old)).toEqual(['session.created', 'session.expired']);
    }
  });
});
