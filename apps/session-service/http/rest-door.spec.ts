import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { API_KEY_SCOPES, CurfewError, ERROR_CATALOGUE, ERROR_CODES, type ApiKeyScope } from '#contracts';
import { listDoors } from '../doors.js';
import { ISSUED, startFakeService, type FakeService } from '../testing/fake-service.js';
import { problem, RestCaller } from '../testing/rest-caller.js';

let service: FakeService;
let rest: RestCaller;
beforeAll(async () => {
  service = await startFakeService();
  rest = new RestCaller(service);
});
beforeEach(() => {
  service.received.length = 0;
  service.answer = () => ISSUED;
  service.barrierAge = 12;
});
afterAll(() => service.close());

const SID = ISSUED.sid;
const call: RestCaller['call'] = (...of) => rest.call(...of);
const json: RestCaller['json'] = (...of) => rest.json(...of);

describe('the REST door', () => {
  it('creates: the body, the header and who calls go to the use case', async () => {
    const response = await json(
      '/v1/sessions',
      { sub: 'u', device: { userAgent: 'x'.repeat(10_240) } },
      { headers: { 'idempotency-key': `"${'k'.repeat(22)}"`, 'x-correlation-id': 'trace-1' } },
    );
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual(ISSUED);
    const [command] = service.received;
    expect(command).toMatchObject({
      context: { correlationId: 'trace-1', caller: { tenants: ['default'] } },
      input: { sub: 'u', device: { userAgent: 'x'.repeat(512) }, idempotencyKey: 'k'.repeat(22) },
    });
  });

  it('makes a correlation id of its own where there is no sane one', async () => {
    await json('/v1/sessions', { sub: 'u' }, { headers: { 'x-correlation-id': 'a b\u00e4' } });
    expect(service.received[0]?.context.correlationId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('refreshes', async () => {
    const response = await json('/v1/sessions/refresh', { refreshToken: 'cfr_x' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });

  it('introspects a form, and says how old its barrier is', async () => {
    const claims = { iss: 'curfew', sub: 'u', exp: 1 };
    service.answer = () => ({ active: true, claims, barrierAgeMs: 3.2 });
    const response = await call('/v1/introspect', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'token=a.b.c%2B&token_type_hint=access_token',
    });
    expect(service.received[0]).toMatchObject({ token: 'a.b.c+' });
    expect([response.status, response.headers.get('curfew-barrier-age')]).toEqual([200, '4']);
    expect(await response.json()).toEqual({ ...claims, active: true, token_type: 'at+jwt' });
  });

  it('says nothing but active: false of what is not active', async () => {
    service.answer = () => ({ active: false, barrierAgeMs: 0 });
    const response = await call('/v1/introspect', {
      method: 'POST',
      body: new URLSearchParams({ token: 'x' }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(await response.json()).toEqual({ active: false });
  });

  it('ends a session with and without a body', async () => {
    service.answer = () => ({ revoked: true, position: '9' });
    const bare = await call(`/v1/sessions/${SID}?tenant=acme`, { method: 'DELETE' });
    expect([bare.status, await bare.json()]).toEqual([200, { revoked: true, position: '9' }]);
    await json(
      `/v1/users/u%201/sessions/${SID}`,
      { reason: 'logout', initiator: 'user' },
      { method: 'DELETE' },
    );
    expect(service.received.map((message) => (message as { input: object }).input)).toEqual([
      { sid: SID, tenant: 'acme' },
      { sid: SID, sub: 'u 1', reason: 'logout', initiator: 'user' },
    ]);
  });

  it('reads, lists and shows history with typed queries', async () => {
    service.answer = () => ({ sessions: [] });
    await call(`/v1/sessions/${SID}`);
    await call('/v1/users/%F0%9F%92%9A/sessions?limit=7&includeEnded=true&cursor=abc');
    await call(`/v1/sessions/${SID}/events?limit=200`);
    expect(service.received.map((message) => (message as { input: object }).input)).toEqual([
      { sid: SID },
      { sub: '💚', limit: 7, includeEnded: true, cursor: 'abc' },
      { sid: SID, limit: 200 },
    ]);
  });

  it('manages API keys', async () => {
    const record = {
      id: 'k',
      name: 'n',
      scopes: ['admin'],
      tenants: ['*'],
      audiences: ['*'],
      createdAt: 1_500,
      createdBy: 's',
    };
    service.answer = () => ({ ...record, key: 'cfk_secret' });
    const made = await json('/v1/api-keys', { name: 'n', scopes: ['admin'] });
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(await made.json()).toEqual({ ...record, createdAt: 1, key: 'cfk_secret' });
    service.answer = () => [record];
    expect(await (await call('/v1/api-keys')).json()).toEqual({ apiKeys: [{ ...record, createdAt: 1 }] });
    service.answer = () => undefined;
    expect((await call('/v1/api-keys/k', { method: 'DELETE' })).status).toBe(204);
  });

  it('publishes the key set and health to everyone', async () => {
    const anonymous = (path: string) => fetch(service.endpoints.http + path);
    const jwks = await anonymous('/.well-known/jwks.json');
    expect(jwks.headers.get('cache-control')).toContain('max-age');
    expect(await jwks.json()).toEqual({ keys: [{ kty: 'EC' }] });
    expect((await anonymous('/healthz')).status).toBe(200);
    expect((await anonymous('/readyz')).status).toBe(200);
    service.barrierAge = 2_000;
    expect(await problem(await anonymous('/readyz'))).toEqual([503, 'ERR_UNAVAILABLE', undefined]);
  });

  it('describes itself from its own DTOs', async () => {
    const document = (await (await call('/openapi.json')).json()) as {
      paths: Record<string, Record<string, unknown>>;
      components: { schemas: Record<string, { required?: string[] }> };
    };
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    const served = listDoors().flatMap((door) =>
      door.kind === 'http' ? [`${door.method} ${door.path}`] : [],
    );
    expect(described.sort()).toEqual(served.sort());
    expect(document.components.schemas['CreateSessionBody']?.required).toEqual(['sub']);
    expect(document.components.schemas['MassRevocationBody']?.required).toEqual(['scope']);
    const headersOf = (path: string, method: string) =>
      (document.paths[path]?.[method] as { parameters?: { name: string; in: string }[] }).parameters
        ?.filter(({ in: place }) => place === 'header')
        .map(({ name }) => name);
    for (const path of ['/v1/users/{sub}/sessions', '/v1/tenants/{tenant}/sessions', '/v1/security-feed'])
      expect(headersOf(path, 'get')).toEqual(['Curfew-At-Least']);
    expect(headersOf('/v1/tenants/{tenant}/counters', 'get')).toEqual(['Curfew-At-Least']);
    expect(headersOf('/v1/revocations', 'post')).toEqual(['Idempotency-Key']);
    expect(headersOf('/v1/users/{sub}/sessions', 'delete')).toEqual(['Idempotency-Key']);
  });

  it('describes every parameter of a query', async () => {
    const { paths } = (await (await call('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
    };
    const queryOf = (path: string, method = 'get') =>
      paths[path]?.[method]?.parameters?.filter((each) => each.in === 'query').map(({ name }) => name);
    expect(queryOf('/v1/audit/sessions/{sid}')?.sort()).toEqual(['at', 'atPosition', 'tenant']);
    expect(queryOf('/v1/users/{sub}/sessions', 'delete')?.sort()).toEqual(['except', 'tenant']);
    expect(queryOf('/v1/tenants/{tenant}/counters')?.sort()).toEqual(['from', 'to']);
  });

  describe('G10: without the right key', () => {
    const doors = listDoors().flatMap((door) => (door.kind === 'http' ? [door] : []));
    const ids: Readonly<Record<string, string>> = { sid: SID, sub: 'u', tenant: 'default' };
    const at = (path: string) => path.replace(/:(\w+)/g, (_, name: string) => ids[name] ?? 'x');
    const having = (scope: ApiKeyScope) => ({ headers: service.authorization(scope) });
    it.each(doors.filter(({ access }) => access?.kind !== 'public'))(
      'refuses $method $path',
      async ({ method, path, access }) => {
        const anonymous = await fetch(service.endpoints.http + at(path), { method });
        expect(anonymous.headers.get('www-authenticate')).toContain('Bearer');
        expect((await problem(anonymous)).slice(0, 2)).toEqual([401, 'ERR_UNAUTHENTICATED']);
        const lacking =
          access?.kind === 'scope' ? API_KEY_SCOPES.filter((s) => !access.scopes.includes(s)) : [];
        for (const scope of lacking) {
          const forbidden = await call(at(path), { method, ...having(scope) });
          expect((await problem(forbidden)).slice(0, 2)).toEqual([403, 'ERR_FORBIDDEN']);
        }
        expect(service.received).toEqual([]);
      },
    );

    it.each(doors.filter(({ access }) => access?.kind === 'scope'))(
      'lets in to $method $path with any one scope that it names',
      async ({ method, path, access }) => {
        for (const scope of access?.kind === 'scope' ? access.scopes : [])
          expect((await call(at(path), { method, ...having(scope) })).status).not.toBe(403);
      },
    );

    it('names every scope that would do', async () => {
      const response = await json('/v1/revocations', { scope: 'global' }, having('admin'));
      expect(await response.json()).toMatchObject({
        detail: 'needs the scope scopes:revoke or sessions:revoke',
      });
    });
  });

  describe('bad input', () => {
    it.each([
      ['a key named twice', '{"sub":"a","sub":"b"}', [400, 'ERR_MALFORMED_BODY', 'sub']],
      ['no JSON', '{', [400, 'ERR_MALFORMED_BODY', undefined]],
      ['nothing', '', [400, 'ERR_VALIDATION', 'sub']],
      ['a list', '[]', [400, 'ERR_VALIDATION', undefined]],
      ['a string', '"x"', [400, 'ERR_VALIDATION', undefined]],
      ['null', 'null', [400, 'ERR_VALIDATION', undefined]],
      ['an unknown field', '{"sub":"a","admin":true}', [400, 'ERR_VALIDATION', 'admin']],
      ['__proto__', '{"sub":"a","__proto__":{}}', [400, 'ERR_VALIDATION', '__proto__']],
      ['a nested fault', '{"sub":"a","device":{"ip":"x"}}', [400, 'ERR_VALIDATION', 'device.ip']],
      ['too much', JSON.stringify({ sub: 'a'.repeat(70_000) }), [413, 'ERR_PAYLOAD_TOO_LARGE', undefined]],
    ])('names what is wrong: %s', async (_name, body, expected) => {
      expect(await problem(await json('/v1/sessions', body))).toEqual(expected);
      expect(service.received).toEqual([]);
    });

    it.each([
      ['text/plain'],
      ['application/xml'],
      ['multipart/form-data; boundary=x'],
      ['application/x-www-form-urlencoded'],
    ])('refuses %s where JSON is asked for', async (type) => {
      const response = await call('/v1/sessions', {
        method: 'POST',
        headers: { 'content-type': type },
        body: 'sub=a',
      });
      expect(await problem(response)).toEqual([415, 'ERR_UNSUPPORTED_MEDIA_TYPE', undefined]);
    });

    it('refuses JSON where a form is asked for, and a form field named twice', async () => {
      expect(await problem(await json('/v1/introspect', { token: 'x' }))).toEqual([
        415,
        'ERR_UNSUPPORTED_MEDIA_TYPE',
        undefined,
      ]);
      const form = (body: string) =>
        call('/v1/introspect', {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
      expect(await problem(await form('token=a&token=b'))).toEqual([400, 'ERR_MALFORMED_BODY', 'token']);
      expect(await problem(await form('token=%zz'))).toEqual([400, 'ERR_MALFORMED_BODY', undefined]);
      expect(await problem(await form('token='))).toEqual([400, 'ERR_VALIDATION', 'token']);
      expect(await problem(await form(''))).toEqual([400, 'ERR_VALIDATION', 'token']);
    });

    it.each(['short', 'k'.repeat(256), `"${'k'.repeat(21)}"`, 'k k'.repeat(10), '""', 'é'.repeat(30)])(
      'refuses the Idempotency-Key %j',
      async (key) => {
        const headers = { 'idempotency-key': Buffer.from(key, 'latin1').toString('latin1') };
        expect(await problem(await json('/v1/sessions', { sub: 'a' }, { headers }))).toEqual([
          400,
          'ERR_VALIDATION',
          'Idempotency-Key',
        ]);
      },
    );

    it.each([
      ['/v1/users/u/sessions?limit=0', 'limit'],
      ['/v1/users/u/sessions?limit=1&limit=2', 'limit'],
      ['/v1/users/u/sessions?nope=1', 'nope'],
      ['/v1/users/u/sessions?__proto__=1', '__proto__'],
      ['/v1/users/u/sessions?constructor=1', 'constructor'],
      [`/v1/sessions/${SID}?tenant=a/b`, 'tenant'],
    ])('refuses %s', async (path, field) => {
      expect(await problem(await call(path))).toEqual([400, 'ERR_VALIDATION', field]);
    });

    it.each([
      ['GET', '/'],
      ['GET', '/v1'],
      ['PUT', '/v1/sessions'],
      ['GET', '/v1/sessions/'],
      ['GET', '/v1/users//sessions'],
      ['OPTIONS', '/v1/sessions'],
      ['PROPFIND', '/v1/sessions'],
    ])('answers %s %s as unknown', async (method, path) => {
      expect(await problem(await call(path, { method }))).toEqual([404, 'ERR_NOT_FOUND', undefined]);
    });

    it('passes ids that cannot exist on as unknown ones', async () => {
      await call(`/v1/users/${'x'.repeat(300)}/sessions`);
      await call('/v1/users/a%00b/sessions');
      expect(service.received.map((message) => (message as { input: object }).input)).toEqual([
        { sub: '\u007f' },
        { sub: '\u007f' },
      ]);
      expect((await call('/v1/users/a%ffb/sessions')).status).toBe(400);
    });

    it('answers what is no HTTP with a problem document, too', async () => {
      for (const [text, status] of [
        ['NONSENSE\r\n\r\n', 400],
        [`GET /healthz HTTP/1.1\r\nhost: x\r\nx-big: ${'y'.repeat(20_000)}\r\n\r\n`, 400],
        ['POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: nine\r\n\r\n', 400],
      ] as const) {
        const answer = await raw(text);
        expect(answer).toContain(`HTTP/1.1 ${status} `);
        expect(answer).toContain('"code":"ERR_VALIDATION"');
      }
    });

    it('outlives requests that are broken off', async () => {
      await new Promise<void>((resolve) => {
        const breaking = httpRequest(`${service.endpoints.http}/v1/sessions`, {
          method: 'POST',
          headers: {
            ...service.authorization(),
            'content-type': 'application/json',
            'content-length': '100',
          },
        });
        breaking.on('error', () => resolve());
        breaking.write('{"sub":');
        setTimeout(() => breaking.destroy(), 20);
      });
      expect((await call('/healthz')).status).toBe(200);
      expect(service.received).toEqual([]);
    });
  });

  it.each(ERROR_CODES.filter((code) => ERROR_CATALOGUE[code].http > 0))(
    'answers %s as the catalogue says',
    async (code) => {
      service.answer = () => {
        throw new CurfewError(code, { detail: 'why', field: 'sub', cause: new Error('secret cause') });
      };
      const response = await json('/v1/sessions', { sub: 'a' });
      const { http, retryable } = ERROR_CATALOGUE[code];
      expect(response.headers.get('retry-after')).toBe(retryable ? '1' : null);
      const text = await response.clone().text();
      expect(text).not.toContain('secret');
      expect(text.includes('errorId')).toBe(http === 500);
      expect(await problem(response)).toEqual([http, code, 'sub']);
    },
  );

  it('shows nothing of a defect but an id', async () => {
    service.answer = () => {
      throw new TypeError('secret');
    };
    const response = await json('/v1/sessions', { sub: 'a' });
    const text = await response.clone().text();
    expect(text).not.toContain('secret');
    expect(await problem(response)).toEqual([500, 'ERR_INTERNAL', undefined]);
    expect(JSON.parse(text)).toHaveProperty('errorId');
  });
});

function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(service.endpoints.http);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
