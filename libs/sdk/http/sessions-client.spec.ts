import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { json, RestDoorDouble, type RestCall } from '../core/rest-door.double.js';
import { serviceClient, type ServiceClient } from './service-client.js';
import { sessionsClient } from './sessions-client.js';
import type { SessionsClient } from './sessions-client.types.js';

describe('the sessions client', () => {
  let door: RestDoorDouble;
  let service: ServiceClient;
  let sessions: SessionsClient;
  beforeEach(() => {
    door = new RestDoorDouble();
    door.other = () => json({ sid: 's' });
    service = serviceClient('https://service.test/base/', 'key-1', door.fetch);
    sessions = sessionsClient(service);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const asked = (): { url: string; method: string; body: unknown; headers: Record<string, string> } => {
    const { url, init } = door.calls.at(-1) as RestCall;
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : init.body;
    return { url, method: String(init.method), body, headers: init.headers as Record<string, string> };
  };

  it('creates, with the idempotency key in its header and not in the body', async () => {
    await sessions.create({ sub: 'u', roles: ['r'] }, { idempotencyKey: 'k'.repeat(22) });
    expect(asked()).toEqual({
      url: 'https://service.test/base/v1/sessions',
      method: 'POST',
      body: { sub: 'u', roles: ['r'] },
      headers: {
        authorization: 'Bearer key-1',
        'content-type': 'application/json',
        'idempotency-key': 'k'.repeat(22),
      },
    });
  });

  it('refreshes', async () => {
    await sessions.refresh('cfr_x', { device: { name: 'd' } });
    expect(asked()).toMatchObject({
      url: 'https://service.test/base/v1/sessions/refresh',
      body: { refreshToken: 'cfr_x', device: { name: 'd' } },
    });
    expect(asked().headers).not.toHaveProperty('idempotency-key');
  });

  it('gets and lists', async () => {
    await sessions.get('a/b');
    expect(asked()).toMatchObject({
      url: 'https://service.test/base/v1/sessions/a%2Fb',
      method: 'GET',
      body: undefined,
    });
    await sessions.listByUser('ü?', { limit: 5, cursor: 'a&b', includeEnded: true, tenant: 't' });
    expect(asked().url).toBe(
      'https://service.test/base/v1/users/%C3%BC%3F/sessions?limit=5&cursor=a%26b&includeEnded=true&tenant=t',
    );
    await sessions.listByUser('u');
    expect(asked().url).toBe('https://service.test/base/v1/users/u/sessions');
  });

  it('revokes, with a body only if there is a cause to give', async () => {
    await sessions.revoke('s', { tenant: 't' });
    expect(asked()).toMatchObject({
      url: 'https://service.test/base/v1/sessions/s?tenant=t',
      method: 'DELETE',
      body: undefined,
    });
    await sessions.revokeOfUser('u', 's', { reason: 'user', initiator: 'user', note: 'n' });
    expect(asked()).toMatchObject({
      url: 'https://service.test/base/v1/users/u/sessions/s',
      body: { reason: 'user', initiator: 'user', note: 'n' },
    });
  });

  it('makes no other call out of an id: `..` would take the owner check away', async () => {
    for (const id of ['', '.', '..', undefined as unknown as string]) {
      for (const call of [
        () => sessions.revokeOfUser(id, 's'),
        () => sessions.revokeOfUser('u', id),
        () => sessions.revoke(id),
        () => sessions.get(id),
        () => sessions.listByUser(id),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'ERR_VALIDATION', status: 400 });
      }
    }
    expect(door.calls).toHaveLength(0);
  });

  it('turns a problem into an error with all that it says', async () => {
    door.other = () =>
      json(
        { title: 'Not valid', status: 400, code: 'ERR_VALIDATION', field: 'sub', detail: 'is missing' },
        { status: 400 },
      );
    await expect(sessions.create({ sub: '' })).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
      status: 400,
      field: 'sub',
      detail: 'is missing',
      message: 'Not valid: is missing',
    });
    door.other = () =>
      json({ code: 'ERR_UNAVAILABLE', title: 'no store' }, { status: 503, headers: { 'retry-after': '3' } });
    await expect(sessions.get('s')).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      status: 503,
      retryAfter: 3,
    });
  });

  it.each([
    [() => new Response('<h1>Bad gateway</h1>', { status: 502 }), 502],
    [() => new Response('<h1>Hello</h1>', { status: 200 }), 503],
    [() => Promise.reject(new TypeError('fetch failed')), 503],
  ])('calls the service unavailable when something else answers, or nothing (%#)', async (other, status) => {
    door.other = other;
    await expect(sessions.get('s')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE', status });
  });

  it('waits 5 s at most, also for the body', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance', 'Date'] });
    door.other = () => new Promise(() => undefined);
    const outcome = expect(sessions.get('s')).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
      detail: 'no answer in 5000 ms',
    });
    await jest.advanceTimersByTimeAsync(5_000);
    await outcome;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('puts neither key nor token into an error', async () => {
    door.other = () => Promise.reject(new TypeError('fetch failed'));
    const error = await sessions.refresh('cfr_secret').then(String, (reason: Error) => reason);
    expect(inspect(error)).not.toMatch(/cfr_secret|key-1/);
  });

  it('sends nothing after close', async () => {
    service.close();
    await expect(sessions.get('s')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    expect(door.calls).toHaveLength(0);
  });
});
