import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { json, RestDoorDouble, type RestCall } from '../core/rest-door.double.js';
import { lazySessionsClient } from './lazy-sessions-client.js';
import { serviceClient, type ServiceClient } from './service-client.js';
import { sessionsClient } from './sessions-client.js';
import type { SessionsClient } from './sessions-client.types.js';

describe('the session calls of a node', () => {
  it('are all there before their module is', () => {
    const service = serviceClient('http://service.test', 'key', fetch);
    expect(Object.keys(lazySessionsClient(service))).toEqual(Object.keys(sessionsClient(service)));
  });
});

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

  it('revokes a whole scope, with the idempotency key in its header', async () => {
    const answer = { revocationId: 'r', epoch: 3, repeated: false, position: 'p' };
    door.other = () => json(answer);
    const idempotencyKey = 'k'.repeat(22);
    await expect(
      sessions.revokeAll(
        { scope: 'user', tenant: 't', sub: 'u', except: ['s1', 's2'], reason: 'user', initiator: 'user' },
        { idempotencyKey },
      ),
    ).resolves.toEqual(answer);
    expect(asked()).toMatchObject({
      url: 'https://service.test/base/v1/revocations',
      method: 'POST',
      body: {
        scope: 'user',
        tenant: 't',
        sub: 'u',
        except: ['s1', 's2'],
        reason: 'user',
        initiator: 'user',
      },
      headers: { 'idempotency-key': idempotencyKey },
    });
    await sessions.revokeAll({ scope: 'global' });
    expect(asked().body).toEqual({ scope: 'global' });
    expect(asked().headers).not.toHaveProperty('idempotency-key');
  });

  it('asks for a receipt, and waits for it as long as the service does', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance', 'Date'] });
    await sessions.receipt('r/1');
    expect(asked()).toMatchObject({
      url: 'https://service.test/base/v1/revocations/r%2F1',
      method: 'GET',
      body: undefined,
    });
    door.other = () => new Promise(() => undefined);
    const outcome = expect(
      sessions.receipt('r', { tenant: 't', wait: true, timeoutMs: 20_000 }),
    ).rejects.toMatchObject({ detail: 'no answer in 25000 ms' });
    expect(asked().url).toBe('https://service.test/base/v1/revocations/r?tenant=t&wait=all&timeout=20000');
    await jest.advanceTimersByTimeAsync(25_000);
    await outcome;
    await expect(sessions.receipt('..')).rejects.toMatchObject({ code: 'ERR_VALIDATION' });
  });

  describe('G8: reads its own writes', () => {
    const written = async (position: unknown): Promise<void> => {
      door.other = () => json({ position });
      await sessions.create({ sub: 'u' });
    };
    const atLeast = async (): Promise<string | undefined> => {
      await sessions.listByUser('u');
      return asked().headers['curfew-at-least'];
    };

    it('a query names the position of the write before it, whichever write that was', async () => {
      const writes = [
        () => sessions.create({ sub: 'u' }),
        () => sessions.refresh('cfr_x'),
        () => sessions.revoke('s'),
        () => sessions.revokeOfUser('u', 's'),
        () => sessions.revokeAll({ scope: 'tenant' }),
      ];
      for (const [i, write] of writes.entries()) {
        door.other = () => json({ position: `000${i}` });
        await write();
        expect(asked().headers).not.toHaveProperty('curfew-at-least');
        expect(await atLeast()).toBe(`000${i}`);
      }
      await sessions.get('s');
      expect(asked().headers['curfew-at-least']).toBe('0004');
    });

    it('the greatest position counts, as text, when answers come in another order', async () => {
      for (const position of ['0009', '0010', '0002']) await written(position);
      expect(await atLeast()).toBe('0010');
    });

    it('asks for nothing before the first write, nor after one that wrote nothing or failed', async () => {
      expect(await atLeast()).toBeUndefined();
      for (const position of ['', undefined]) await written(position);
      door.other = () => json({ position: '9' }, { status: 503 });
      await expect(sessions.create({ sub: 'u' })).rejects.toMatchObject({ status: 503 });
      door.other = () => new Response('');
      await sessions.create({ sub: 'u' });
      expect(await atLeast()).toBeUndefined();
    });

    it('tells the caller when the service did not get there in time', async () => {
      await written('0001');
      door.other = () =>
        json({ code: 'ERR_VIEW_BEHIND', title: 'behind' }, { status: 503, headers: { 'retry-after': '1' } });
      await expect(sessions.listByUser('u')).rejects.toMatchObject({
        code: 'ERR_VIEW_BEHIND',
        retryAfter: 1,
      });
      expect(await atLeast().catch(() => asked().headers['curfew-at-least'])).toBe('0001');
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
