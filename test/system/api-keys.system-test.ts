import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dataFolder, eventually, makeKey, startTestService, type TestService } from '../support/cluster.js';
import { grpcClients } from '#local-cluster';
import { restClient } from '../support/rest.js';

const B = 2_000;

describe('API keys', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path);
  });
  afterAll(async () => {
    await service.child.stop();
    await folder.remove();
  });

  it('G10: revoking one takes effect within B on both doors and cuts its open streams', async () => {
    const key = await makeKey(service, ['default'], ['revocations:watch', 'sessions:read', 'admin']);
    const rest = restClient(service.http, key);
    const grpc = grpcClients(service.grpc, key);
    const { body } = await rest.call<{ apiKeys: { id: string; scopes: string[] }[] }>('GET', '/v1/api-keys');
    const id = body.apiKeys.find(({ scopes }) => scopes.length === 3)?.id ?? '';
    expect(id).not.toBe('');

    interface Stream {
      write(message: object): void;
      on(event: string, listener: (value: { code?: number }) => void): void;
    }
    const watch = (grpc.client('RevocationService') as unknown as { Watch(metadata: unknown): Stream }).Watch(
      grpc.metadata(),
    );
    let renewals = 0;
    const cut = new Promise<number | undefined>((resolve) => watch.on('error', ({ code }) => resolve(code)));
    watch.on('data', () => {
      renewals += 1;
      setTimeout(() => watch.write({ renew: { id: renewals + 1 } }), 100);
    });
    watch.write({ hello: { nodeId: 'test' } });
    watch.write({ renew: { id: 1 } });
    await eventually(() => renewals > 2);

    expect((await service.rest.call('DELETE', `/v1/api-keys/${id}`)).status).toBeLessThan(300);
    const revoked = performance.now();
    await eventually(async () => (await rest.call('GET', '/v1/api-keys')).status === 401, { within: B });
    await eventually(
      () =>
        grpc.call('SessionService', 'Get', { sid: 'f'.repeat(32) }).then(
          () => false,
          (error: { code: number }) => error.code === 16,
        ),
      { within: B },
    );
    expect(await cut).toBe(16);
    expect(performance.now() - revoked).toBeLessThan(B + 250);
    grpc.close();
  });

  it('without a key: JWKS and health, and nothing else', async () => {
    const anonymous = restClient(service.http, undefined);
    for (const path of ['/.well-known/jwks.json', '/healthz', '/readyz']) {
      expect([path, (await anonymous.call('GET', path)).status]).toEqual([path, 200]);
    }
    expect((await anonymous.call('GET', '/openapi.json')).status).toBe(401);
    expect((await service.rest.call('GET', '/openapi.json')).body).toHaveProperty('paths');
    for (const key of [undefined, 'cfk_wrong', `cfk_${'A'.repeat(43)}`]) {
      const answer = await restClient(service.http, key).call('GET', '/v1/api-keys');
      expect(answer).toMatchObject({ status: 401, body: { code: 'ERR_UNAUTHENTICATED' } });
    }
  });
});
