import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CurfewError } from '#contracts';
import { ISSUED, startFakeService, type FakeService } from '../testing/fake-service.js';
import { problem, RestCaller } from '../testing/rest-caller.js';

const SID = ISSUED.sid;
const NOON = Date.UTC(2026, 10, 23, 12);
/** Routes that take `Curfew-At-Least`. */
const FRESH = [
  '/v1/users/u/sessions',
  '/v1/tenants/default/sessions',
  '/v1/security-feed',
  `/v1/tenants/default/counters?from=${NOON}&to=${NOON + 1}`,
];

let service: FakeService;
let rest: RestCaller;
beforeAll(async () => {
  service = await startFakeService();
  rest = new RestCaller(service);
});
beforeEach(() => {
  service.received.length = 0;
  service.answer = () => ({ sessions: [] });
});
afterAll(() => service.close());
const inputs = () => service.received.map((message) => (message as { input: object }).input);
const names = () => service.received.map((message) => message.constructor.name);

describe('lists of sessions', () => {
  it('marks the current one', async () => {
    await rest.call(`/v1/users/u/sessions?current=${SID}`);
    expect(inputs()).toEqual([{ sub: 'u', current: SID }]);
  });

  it('lists a tenant', async () => {
    service.answer = () => ({ sessions: [{ sid: SID }], nextCursor: 'c2' });
    const response = await rest.call('/v1/tenants/acme.eu/sessions?limit=100&cursor=c1&includeEnded=true');
    expect(await response.json()).toEqual({ sessions: [{ sid: SID }], nextCursor: 'c2' });
    expect(names()).toEqual(['ListTenantSessions']);
    expect(inputs()).toEqual([{ tenant: 'acme.eu', limit: 100, cursor: 'c1', includeEnded: true }]);
  });

  it('passes a tenant that cannot exist on as an unknown one', async () => {
    for (const tenant of ['a%2Fb', 'x'.repeat(65), 'a%00', '*'])
      await rest.call(`/v1/tenants/${tenant}/sessions`);
    expect(inputs()).toEqual(Array(4).fill({ tenant: '\u007f' }));
  });

  it.each([
    ['/v1/users/u/sessions?current=x', 'current'],
    ['/v1/users/u/sessions?current=', 'current'],
    ['/v1/tenants/t/sessions?limit=101', 'limit'],
    ['/v1/tenants/t/sessions?tenant=other', 'tenant'],
    [`/v1/tenants/t/sessions?current=${SID}`, 'current'],
    ['/v1/tenants/t/sessions?includeEnded=yes', 'includeEnded'],
    [`/v1/tenants/t/sessions?cursor=${'x'.repeat(513)}`, 'cursor'],
  ])('refuses %s', async (path, field) => {
    expect(await problem(await rest.call(path))).toEqual([400, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });
});

describe('G8: Curfew-At-Least', () => {
  beforeEach(() => {
    service.answer = (message) => (message.constructor.name === 'ListCounters' ? [] : {});
  });

  it.each(FRESH)('reaches the use case of %s', async (path) => {
    await rest.call(path, { headers: { 'curfew-at-least': '12.345' } });
    await rest.call(path, { headers: { 'curfew-at-least': '~'.repeat(128) } });
    await rest.call(path, { headers: { 'curfew-at-least': '' } });
    await rest.call(path);
    expect(inputs().map((input) => (input as { atLeast?: string }).atLeast)).toEqual([
      '12.345',
      '~'.repeat(128),
      undefined,
      undefined,
    ]);
    expect(inputs()[3]).not.toHaveProperty('atLeast');
  });

  it.each(FRESH.flatMap((path) => ['x'.repeat(129), 'a b', 'a, b', '\u00e9'].map((value) => [path, value])))(
    'is refused by name at %s: %j',
    async (path = '', value = '') => {
      const response = await rest.call(path, { headers: { 'curfew-at-least': value } });
      expect(await problem(response)).toEqual([400, 'ERR_VALIDATION', 'Curfew-At-Least']);
      expect(service.received).toEqual([]);
    },
  );

  it('answers 503 with Retry-After when the view is behind', async () => {
    service.answer = () => {
      throw new CurfewError('ERR_VIEW_BEHIND');
    };
    const response = await rest.call('/v1/users/u/sessions', { headers: { 'curfew-at-least': '1' } });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problem(response)).toEqual([503, 'ERR_VIEW_BEHIND', undefined]);
  });
});

describe('time travel', () => {
  it('shows a session as of an instant or a position', async () => {
    service.answer = () => ({ sid: SID, status: 'active' });
    const response = await rest.call(`/v1/audit/sessions/${SID}?at=2026-11-23T12:00:00Z&tenant=acme`);
    expect([response.status, await response.json()]).toEqual([200, { sid: SID, status: 'active' }]);
    await rest.call('/v1/audit/sessions/whatever?atPosition=7.9');
    expect(names()).toEqual(['GetSessionAt', 'GetSessionAt']);
    expect(inputs()).toEqual([
      { sid: SID, at: NOON, tenant: 'acme' },
      { sid: 'whatever', atPosition: '7.9' },
    ]);
  });

  it("shows a user's sessions, and reads an offset whose plus was not escaped", async () => {
    await rest.call(`/v1/audit/users/u%2F1/sessions?at=${NOON}&limit=2&cursor=c&includeEnded=true`);
    await rest.call('/v1/audit/users/u/sessions?at=2026-11-23T14:00:00+02:00');
    expect(names()).toEqual(['ListUserSessionsAt', 'ListUserSessionsAt']);
    expect(inputs()).toEqual([
      { sub: 'u/1', at: NOON, limit: 2, cursor: 'c', includeEnded: true },
      { sub: 'u', at: NOON },
    ]);
  });

  it.each([
    ['at=', 'at'],
    ['at=yesterday', 'at'],
    ['at=2026-02-30T00:00:00Z', 'at'],
    ['at=1800000000', 'at'],
    [`at=${NOON}&at=${NOON}`, 'at'],
    ['atPosition=', 'atPosition'],
    ['atPosition=a%20b', 'atPosition'],
    [`atPosition=${'1'.repeat(129)}`, 'atPosition'],
    ['when=1', 'when'],
    ['tenant=%00', 'tenant'],
  ])('refuses ?%s by name', async (query, field) => {
    for (const path of [`/v1/audit/sessions/${SID}`, '/v1/audit/users/u/sessions'])
      expect(await problem(await rest.call(`${path}?${query}`))).toEqual([400, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });
});

describe('the security feed', () => {
  const entry = {
    eventId: 'e',
    kind: 'session.theft-detected',
    at: NOON,
    position: '5',
    tenant: 'acme',
    sid: SID,
    sub: 'u',
    detail: { gen: 3 },
  };

  it('shows a page', async () => {
    service.answer = () => ({ entries: [entry], nextCursor: 'n' });
    const response = await rest.call('/v1/security-feed?tenant=acme&limit=200&cursor=c');
    expect(await response.json()).toEqual({ entries: [entry], nextCursor: 'n' });
    expect(inputs()).toEqual([{ tenant: 'acme', limit: 200, cursor: 'c' }]);
  });

  it.each([
    ['limit=201', 'limit'],
    ['limit=0', 'limit'],
    ['tenant=', 'tenant'],
    ['kind=x', 'kind'],
  ])('refuses ?%s by name', async (query, field) => {
    const response = await rest.call(`/v1/security-feed?${query}`);
    expect(await problem(response)).toEqual([400, 'ERR_VALIDATION', field]);
  });
});

describe('counters', () => {
  it('answers counts by the hour', async () => {
    const counts = [{ hour: NOON, name: 'created', count: 4 }];
    service.answer = () => counts;
    const response = await rest.call(`/v1/tenants/acme/counters?from=2026-11-23T12:00:00Z&to=${NOON + 1}`);
    expect(await response.json()).toEqual({ counts });
    expect(inputs()).toEqual([{ tenant: 'acme', from: NOON, to: NOON + 1 }]);
  });

  it.each([
    ['', 'from'],
    [`from=${NOON}`, 'to'],
    [`to=${NOON}`, 'from'],
    [`from=x&to=${NOON}`, 'from'],
    [`from=${NOON}&to=-1`, 'to'],
    [`from=${NOON}&to=${NOON}&tenant=other`, 'tenant'],
  ])('refuses ?%s by name', async (query, field) => {
    const response = await rest.call(`/v1/tenants/acme/counters?${query}`);
    expect(await problem(response)).toEqual([400, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });
});
