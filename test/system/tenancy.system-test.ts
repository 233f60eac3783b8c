import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IssuedSession } from '#sdk';
import { listDoors } from '../../apps/session-service/doors.js';
import { dataFolder, makeKey, startTestService, type TestService } from '../support/cluster.js';
import { grpcClients, type GrpcClients } from '#local-cluster';
import { restClient, type RestClient } from '../support/rest.js';

/** What belongs to one tenant, or to nobody. */
interface Belongings {
  readonly sid: string;
  readonly sub: string;
  readonly tenant: string;
  readonly refreshToken: string;
  readonly accessToken: string;
  readonly apiKeyId: string;
}

/** How a door is asked about something. A door that is not here fails the test: say how, here. */
const REST_BODIES: Readonly<Record<string, (thing: Belongings) => unknown>> = {
  'POST /v1/sessions': ({ sub, tenant }) => ({ sub, tenant }),
  'POST /v1/sessions/refresh': ({ refreshToken }) => ({ refreshToken }),
  'POST /v1/introspect': ({ accessToken }) => `token=${encodeURIComponent(accessToken)}`,
  'POST /v1/api-keys': ({ tenant }) => ({ name: 'n', scopes: ['sessions:read'], tenants: [tenant] }),
  'POST /v1/revocations': ({ sub, tenant }) => ({ scope: 'user', sub, tenant }),
  'POST /v1/revocations/renewals': () => ({ nodeId: 'node-1', boundMs: 2_000 }),
  'POST /v1/projections/:name/rebuild': () => undefined,
  'POST /v1/projections/:name/resume': () => undefined,
};
const MOMENT = Date.UTC(2026, 0, 1);
const REST_QUERIES: Readonly<Record<string, (thing: Belongings) => string>> = {
  'GET /v1/users/:sub/sessions': ({ tenant }) => `?tenant=${tenant}`,
  'DELETE /v1/users/:sub/sessions': ({ tenant }) => `?tenant=${tenant}`,
  'GET /v1/audit/sessions/:sid': () => `?at=${Date.now()}`,
  'GET /v1/audit/users/:sub/sessions': ({ tenant }) => `?at=${Date.now()}&tenant=${tenant}`,
  'GET /v1/security-feed': ({ tenant }) => `?tenant=${tenant}`,
  'GET /v1/tenants/:tenant/counters': () => `?from=${MOMENT}&to=${MOMENT + 1}`,
};
/** Doors that show nothing of anybody, and not in JSON. */
const IMPERSONAL = ['/metrics'];
const GRPC_REQUESTS: Readonly<Record<string, (thing: Belongings) => object>> = {
  'SessionService.Create': ({ sub, tenant }) => ({ sub, tenant }),
  'SessionService.Refresh': ({ refreshToken }) => ({ refreshToken }),
  'SessionService.Introspect': ({ accessToken }) => ({ token: accessToken }),
  'SessionService.Get': ({ sid }) => ({ sid }),
  'SessionService.ListByUser': ({ sub, tenant }) => ({ sub, tenant }),
  'RevocationService.Revoke': ({ sid }) => ({ sid }),
  'SessionService.ListByTenant': ({ tenant }) => ({ tenant }),
  'RevocationService.RevokeAll': ({ sub, tenant }) => ({ scope: 'user', sub, tenant }),
  'RevocationService.GetReceipt': ({ sid }) => ({ id: sid }),
  'RevocationService.Renew': () => ({ nodeId: 'node-1', boundMs: 2_000 }),
  'AuditService.History': ({ sid }) => ({ sid }),
  'AuditService.SessionAt': ({ sid }) => ({ sid, atMs: Date.now() }),
  'AuditService.UserSessionsAt': ({ sub, tenant }) => ({ sub, tenant, atMs: Date.now() }),
  'AuditService.SecurityFeed': ({ tenant }) => ({ tenant }),
  'AuditService.Counters': ({ tenant }) => ({ tenant, fromMs: MOMENT, toMs: MOMENT + 1 }),
};

describe('G10: a key of one tenant × objects of another', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let outsider: RestClient;
  let grpc: GrpcClients;
  let theirs: Belongings;
  let nobodys: Belongings;

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path);
    const ownerKey = await makeKey(service, ['theirs']);
    const owner = restClient(service.http, ownerKey);
    const outsiderKey = await makeKey(service, ['ours']);
    outsider = restClient(service.http, outsiderKey);
    grpc = grpcClients(service.grpc, outsiderKey);
    const { body } = await owner.call<IssuedSession & { accessToken: string }>('POST', '/v1/sessions', {
      sub: 'user-1',
    });
    const keys = await owner.call<{ apiKeys: { id: string }[] }>('GET', '/v1/api-keys');
    const { sid, refreshToken, accessToken } = body;
    theirs = {
      sid,
      refreshToken,
      accessToken,
      sub: 'user-1',
      tenant: 'theirs',
      apiKeyId: keys.body.apiKeys[0]?.id ?? '',
    };
    expect(theirs.apiKeyId).not.toBe('');
    nobodys = {
      sid: 'f'.repeat(32),
      sub: 'user-of-nobody',
      tenant: 'nowhere',
      refreshToken: `${refreshToken.slice(0, 20)}AAAA${refreshToken.slice(24)}`,
      accessToken: `${accessToken.slice(0, -6)}AAAAAA`,
      apiKeyId: '00000000-0000-4000-8000-000000000000',
    };
  });
  afterAll(async () => {
    grpc.close();
    await service.child.stop();
    await folder.remove();
  });

  const doors = listDoors().filter(({ access }) => access?.kind !== 'public');
  const restDoors = doors.flatMap((door) =>
    door.kind === 'http' && !IMPERSONAL.includes(door.path) ? [door] : [],
  );
  const grpcDoors = doors.flatMap((door) => (door.kind === 'grpc' && door.method !== 'Watch' ? [door] : []));

  it('finds the doors by reflection', () => {
    expect(restDoors.length).toBeGreaterThanOrEqual(10);
    expect(grpcDoors.length).toBeGreaterThanOrEqual(7);
  });

  it.each(restDoors.map(({ method, path }) => [method, path]))(
    '%s %s answers exactly as for unknown objects',
    async (method, path) => {
      const asked = async (thing: Belongings) => {
        const filled = path
          .replace(':sid', thing.sid)
          .replace(':sub', thing.sub)
          .replace(':tenant', thing.tenant)
          .replace(':name', 'counters')
          .replace(':id', thing.apiKeyId);
        const makeBody = REST_BODIES[`${method} ${path}`];
        if (method === 'POST' && !makeBody)
          throw new Error(`say in REST_BODIES how ${method} ${path} is asked`);
        const query = REST_QUERIES[`${method} ${path}`]?.(thing) ?? '';
        const body = makeBody?.(thing);
        const form = typeof body === 'string' ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
        const answer = await outsider.call(method, filled + query, body, form);
        return { status: answer.status, body: comparable(answer.body) };
      };
      const answer = await asked(theirs);
      expect(answer).toEqual(await asked(nobodys));
      expect(answer.status).toBeLessThan(500);
      expect(JSON.stringify(answer)).not.toContain(theirs.sid);
    },
  );

  it.each(grpcDoors.map(({ service: name, method }) => `${name}.${method}`))(
    '%s answers exactly as for unknown objects',
    async (name) => {
      const makeRequest = GRPC_REQUESTS[name];
      if (!makeRequest) throw new Error(`say in GRPC_REQUESTS how ${name} is asked`);
      const [serviceName = '', method = ''] = name.split('.');
      const asked = (thing: Belongings) =>
        grpc.call(serviceName, method, makeRequest(thing)).then(
          (answer) => ({ answer: comparable(answer) }),
          (error: { code: number; details: string }) => ({ code: error.code, details: error.details }),
        );
      expect(await asked(theirs)).toEqual(await asked(nobodys));
    },
  );

  it('and it changed nothing', async () => {
    const owner = restClient(service.http, await makeKey(service, ['theirs']));
    expect((await owner.call('GET', `/v1/sessions/${theirs.sid}`)).body).toMatchObject({
      status: 'active',
      gen: 0,
    });
    const { body } = await owner.call<{ events: { type: string }[] }>(
      'GET',
      `/v1/sessions/${theirs.sid}/events`,
    );
    expect(body.events.map(({ type }) => type)).toEqual(['session.created']);
    const key = restClient(service.http, await makeKey(service, ['theirs']));
    expect((await key.call('GET', '/v1/api-keys')).status).toBe(200);
  });

  /** Without what differs between any two answers. */
  function comparable(body: unknown): unknown {
    if (typeof body !== 'object' || body === null) return body;
    const differs = { barrierAgeMs: undefined, barrier: undefined, referenceTimeMs: undefined };
    return { ...body, ...differs, renewAfterMs: undefined };
  }
});
