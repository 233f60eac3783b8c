import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MassRevocation, MassRevoked } from '#contracts';
import type { Curfew, IssuedSession, SessionInfo } from '#sdk';
import { runCli } from '../support/cli.js';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { grpcClients, type GrpcClients } from '#local-cluster';
import { onLog } from '../support/log.js';
import { startNode } from '../support/nodes.js';
import { restClient, type RestClient } from '../support/rest.js';

const B = 2_000;
type Login = IssuedSession & { readonly accessToken: string };

const freshKey = (): string => randomBytes(16).toString('base64url');

describe(`mass revocation, from the doors to the nodes${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let operator: RestClient;
  let grpc: GrpcClients;
  /** One decides from its cache, the other sees a token for the first time after the revocation. */
  let warm: Curfew;
  let cold: Curfew;

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path);
    operator = restClient(service.http, service.apiKey);
    grpc = grpcClients(service.grpc, service.apiKey);
    [warm, cold] = await Promise.all([startNode(service), startNode(service)]);
  });
  afterAll(async () => {
    grpc.close();
    await Promise.all([warm.close(), cold.close()]);
    await service.child.stop();
    await folder.remove();
  });

  async function login(sub: string, client?: string): Promise<Login> {
    const { status, body } = await service.rest.call<Login>('POST', '/v1/sessions', {
      sub,
      ...(client === undefined ? {} : { client }),
    });
    expect(status).toBe(201);
    return body;
  }
  const accepts = (node: Curfew, { accessToken }: Login): Promise<boolean> =>
    node.verify(accessToken).then(
      () => true,
      (error: { code: string }) => {
        expect(error.code).toBe('ERR_TOKEN_REFUSED');
        return false;
      },
    );
  const refresh = ({ refreshToken }: Login) =>
    service.rest.call<Login>('POST', '/v1/sessions/refresh', { refreshToken });
  const get = async ({ sid }: Login): Promise<SessionInfo> =>
    (await service.rest.call<SessionInfo>('GET', `/v1/sessions/${sid}`)).body;

  /** Nothing accepts it any more: neither node within B, nor the service, which says why. */
  async function expectEnded(session: Login): Promise<void> {
    for (const node of [warm, cold]) {
      await eventually(async () => !(await accepts(node, session)), { within: B, what: 'a refusal' });
    }
    expect((await refresh(session)).status).toBe(401);
    expect(await get(session)).toMatchObject({ status: 'revoked', endedReason: 'scope', endedBy: 'admin' });
  }
  async function expectAlive(session: Login): Promise<void> {
    expect(await Promise.all([warm, cold].map((node) => accepts(node, session)))).toEqual([true, true]);
    expect(await get(session)).toMatchObject({ status: 'active' });
  }

  const overRest = async (what: MassRevocation): Promise<MassRevoked> => {
    const { status, body } = await operator.call<MassRevoked>('POST', '/v1/revocations', {
      ...what,
      ...(what.scope === 'global' ? {} : { tenant: 'default' }),
    });
    expect(status).toBe(200);
    return body;
  };
  const overGrpc = (what: MassRevocation): Promise<MassRevoked> =>
    grpc.call<MassRevoked>('RevocationService', 'RevokeAll', {
      ...what,
      ...(what.scope === 'global' ? {} : { tenant: 'default' }),
    });

  describe.each([
    ['REST', overRest],
    ['gRPC', overGrpc],
  ] as const)('over %s', (door, revoke) => {
    it.each([
      ['user', { scope: 'user', sub: `${door}-1` }, [false, false, true, true]],
      ['client', { scope: 'client', client: `${door}-phone` }, [true, false, false, true]],
      ['tenant', { scope: 'tenant' }, [false, false, false, false]],
      ['global', { scope: 'global' }, [false, false, false, false]],
    ] as const)(
      'G5 G2: a %s: its sessions end on every node, others and later ones live',
      async (_, what, alive) => {
        const sessions = [
          await login(`${door}-1`),
          await login(`${door}-1`, `${door}-phone`),
          await login(`${door}-2`, `${door}-phone`),
          await login(`${door}-2`),
        ];
        for (const session of sessions) expect(await accepts(warm, session)).toBe(true);

        const { epoch, revocationId } = await revoke(what);
        expect(epoch).toBeGreaterThan(0);
        expect(revocationId).not.toBe('');
        const later = await login(`${door}-1`, `${door}-phone`);

        for (const [i, session] of sessions.entries()) {
          await (alive[i] ? expectAlive(session) : expectEnded(session));
        }
        await expectAlive(later);
        expect((await refresh(later)).status).toBe(200);
      },
    );

    it('G5: all but me: the excepted one lives, adopts at its refresh, and falls with the next', async () => {
      const sub = `${door}-me`;
      const [me, other] = [await login(sub), await login(sub)];
      for (const session of [me, other]) expect(await accepts(warm, session)).toBe(true);
      await revoke({ scope: 'user', sub, except: [me.sid] });
      await expectEnded(other);
      await expectAlive(me);

      const next = (await refresh(me)).body;
      await expectAlive(next);
      await revoke({ scope: 'user', sub });
      await expectEnded(next);
      // Excepted once is not alive for ever: it can be spared no more.
      await expect(revoke({ scope: 'user', sub, except: [me.sid] })).rejects.toThrow();
    });
  });

  it('G5: a repeated Idempotency-Key raises nothing: what was created in between lives', async () => {
    const sub = 'repeated';
    const old = await login(sub);
    const headers = { 'idempotency-key': freshKey() };
    const path = `/v1/users/${sub}/sessions`;
    const first = await service.rest.call<MassRevoked>('DELETE', path, undefined, headers);
    expect(first).toMatchObject({ status: 200, body: { epoch: 1, repeated: false } });
    const between = await login(sub);
    const again = await service.rest.call<MassRevoked>('DELETE', path, undefined, headers);
    expect(again.body).toMatchObject({ epoch: 1, repeated: true, revocationId: first.body.revocationId });
    await expectEnded(old);
    await expectAlive(between);
  });

  it('G8: the list shows what a mass revocation ended, and why, at once', async () => {
    const sub = 'listed';
    const [me, other] = [await login(sub), await login(sub)];
    const { position } = await overRest({ scope: 'user', sub, except: [me.sid] });
    const list = async (query: string) => {
      const path = `/v1/users/${sub}/sessions?current=${me.sid}${query}`;
      const headers = { 'curfew-at-least': position };
      return (await service.rest.call<{ sessions: SessionInfo[] }>('GET', path, undefined, headers)).body
        .sessions;
    };
    expect((await list('')).map(({ sid }) => sid)).toEqual([me.sid]);
    const all = await list('&includeEnded=true');
    expect(all).toHaveLength(2);
    expect(all.find(({ sid }) => sid === me.sid)).toMatchObject({ status: 'active', current: true });
    expect(all.find(({ sid }) => sid === other.sid)).toMatchObject({
      status: 'revoked',
      endedReason: 'scope',
      current: false,
    });
  });

  it('G2 G5: a node that starts afterwards refuses what was revoked before, from the replay', async () => {
    const sub = 'late-node';
    const [me, other] = [await login(sub), await login(sub)];
    await overRest({ scope: 'user', sub, except: [me.sid] });
    const later = await login(sub);
    const node = await startNode(service, { onStale: 'reject' });
    try {
      expect(await accepts(node, other)).toBe(false);
      expect(await accepts(node, me)).toBe(true);
      expect(await accepts(node, later)).toBe(true);
      expect(node.stats().introspections).toBe(0);
    } finally {
      await node.close();
    }
  });

  it('curfew revoke --user --except ends all of a user but one', async () => {
    const sub = 'by-hand';
    const [me, other] = [await login(sub), await login(sub)];
    for (const session of [me, other]) expect(await accepts(warm, session)).toBe(true);
    const run = await runCli(
      service,
      ...['revoke', '--user', sub, '--tenant', 'default', '--except', me.sid, '--json'],
    );
    expect(run).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(run.out)).toMatchObject({ epoch: 1, repeated: false });
    await expectEnded(other);
    await expectAlive(me);
  });

  it('an exception for a session that is not alive refuses the whole call', async () => {
    const sub = 'dead-exception';
    const [dead, alive] = [await login(sub), await login(sub)];
    await service.rest.call('DELETE', `/v1/sessions/${dead.sid}`);
    const answer = await service.rest.call('DELETE', `/v1/users/${sub}/sessions?except=${dead.sid}`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'ERR_EXCEPTION_NOT_ALIVE' } });
    await expectAlive(alive);
  });
});
