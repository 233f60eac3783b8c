import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CurfewError } from '#contracts';
import { startFakeService, type FakeService } from '../testing/fake-service.js';
import { problem, RestCaller } from '../testing/rest-caller.js';

const DONE = { revocationId: 'r1', epoch: 3, repeated: false, position: '9.1' };
const [A, B] = ['a'.repeat(32), 'b'.repeat(32)];
const KEY = 'k'.repeat(22);

let service: FakeService;
let rest: RestCaller;
beforeAll(async () => {
  service = await startFakeService();
  rest = new RestCaller(service);
});
beforeEach(() => {
  service.received.length = 0;
  service.answer = () => DONE;
});
afterAll(() => service.close());
const inputs = () => service.received.map((message) => (message as { input: object }).input);

describe('DELETE /v1/users/{sub}/sessions', () => {
  it('ends all sessions of the user, with and without a body', async () => {
    const bare = await rest.call('/v1/users/u%201/sessions', { method: 'DELETE' });
    expect([bare.status, await bare.json()]).toEqual([200, DONE]);
    const headers = { 'idempotency-key': KEY };
    const path = '/v1/users/u/sessions?tenant=acme';
    await rest.json(path, { reason: 'credential-changed', initiator: 'user' }, { method: 'DELETE', headers });
    expect(inputs()).toEqual([
      { scope: 'user', sub: 'u 1' },
      {
        scope: 'user',
        sub: 'u',
        tenant: 'acme',
        reason: 'credential-changed',
        initiator: 'user',
        idempotencyKey: KEY,
      },
    ]);
  });

  it('spares one session, or several', async () => {
    await rest.call(`/v1/users/u/sessions?except=${A}`, { method: 'DELETE' });
    await rest.call(`/v1/users/u/sessions?except=${A}&except=${B}`, { method: 'DELETE' });
    expect(inputs()).toMatchObject([{ except: [A] }, { except: [A, B] }]);
  });

  it('says so when a view may not show it yet', async () => {
    service.answer = () => ({ ...DONE, viewPending: true });
    const response = await rest.call('/v1/users/u/sessions', { method: 'DELETE' });
    expect(await response.json()).toEqual({ ...DONE, viewPending: true });
  });

  it.each([
    ['except=', 'except'],
    ['except=short', 'except'],
    [`except=${A.toUpperCase()}`, 'except'],
    [`except=${A}&except=`, 'except'],
    [Array(33).fill(`except=${A}`).join('&'), 'except'],
    ['tenant=a/b', 'tenant'],
    [`tenant=a&tenant=b`, 'tenant'],
    ['sub=other', 'sub'],
    ['scope=global', 'scope'],
    [`excep=${A}`, 'excep'],
    [`except[]=${A}`, 'except[]'],
  ])('refuses ?%s by name, and ends nothing', async (query, field) => {
    const response = await rest.call(`/v1/users/u/sessions?${query}`, { method: 'DELETE' });
    expect(await problem(response)).toEqual([400, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });

  it.each([
    [{ reason: 'theft' }, 'reason'],
    [{ initiator: 'nobody' }, 'initiator'],
    [{ note: 'n' }, 'note'],
    [{ scope: 'global' }, 'scope'],
    [{ except: [A] }, 'except'],
  ])('refuses the body %j by name', async (body, field) => {
    const response = await rest.json('/v1/users/u/sessions', body, { method: 'DELETE' });
    expect(await problem(response)).toEqual([400, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });
});

describe('POST /v1/revocations', () => {
  it.each([
    { scope: 'user', sub: 'u', tenant: 'acme', except: [A, B], reason: 'admin', initiator: 'admin' },
    { scope: 'client', client: 'web', tenant: 'acme' },
    { scope: 'tenant', tenant: 'acme', except: [] },
    { scope: 'global', reason: 'policy' },
  ])('ends a scope: %j', async (body) => {
    const response = await rest.json('/v1/revocations', body, { headers: { 'idempotency-key': `"${KEY}"` } });
    expect([response.status, await response.json()]).toEqual([200, DONE]);
    expect(inputs()).toEqual([{ ...body, idempotencyKey: KEY }]);
  });

  it.each([
    ['', 'scope'],
    [{}, 'scope'],
    [{ scope: 'session', sub: 'u' }, 'scope'],
    [{ scope: 'key' }, 'scope'],
    [{ scope: ['global'] }, 'scope'],
    [{ scope: 'user', sub: '' }, 'sub'],
    [{ scope: 'user', sub: 'a\u0000' }, 'sub'],
    [{ scope: 'user', sub: 'x'.repeat(256) }, 'sub'],
    [{ scope: 'client', client: 'a b' }, 'client'],
    [{ scope: 'tenant', tenant: 'x'.repeat(65) }, 'tenant'],
    [{ scope: 'tenant', tenant: '*' }, 'tenant'],
    [{ scope: 'global', except: A }, 'except'],
    [{ scope: 'global', except: ['x'] }, 'except'],
    [{ scope: 'global', except: [null] }, 'except'],
    [{ scope: 'global', except: Array(33).fill(A) }, 'except'],
    [{ scope: 'global', reason: 'scope' }, 'reason'],
    [{ scope: 'global', note: 'n' }, 'note'],
    [{ scope: 'global', idempotencyKey: KEY }, 'idempotencyKey'],
  ])('refuses %j by name, and ends nothing', async (body, field) => {
    expect(await problem(await rest.json('/v1/revocations', body))).toEqual([400, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });

  it('refuses a key that can be guessed', async () => {
    const headers = { 'idempotency-key': 'short' };
    const response = await rest.json('/v1/revocations', { scope: 'global' }, { headers });
    expect(await problem(response)).toEqual([400, 'ERR_VALIDATION', 'Idempotency-Key']);
  });

  it('takes up to 32 exceptions, and says when one is not alive', async () => {
    const body = { scope: 'user', sub: 'u', except: Array.from({ length: 32 }, () => A) };
    expect((await rest.json('/v1/revocations', body)).status).toBe(200);
    service.answer = () => {
      throw new CurfewError('ERR_EXCEPTION_NOT_ALIVE', { field: 'except' });
    };
    expect(await problem(await rest.json('/v1/revocations', body))).toEqual([
      409,
      'ERR_EXCEPTION_NOT_ALIVE',
      'except',
    ]);
  });
});
