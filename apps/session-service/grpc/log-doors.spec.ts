import { status as code } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CurfewError } from '#contracts';
import { ISSUED, startFakeService, type FakeService } from '../testing/fake-service.js';
import { GrpcCaller } from '../testing/grpc-caller.js';

const NOON = Date.UTC(2026, 10, 23, 12);
const SID = ISSUED.sid;
const SESSION = {
  sid: SID,
  sub: 'u',
  tenant: 'default',
  client: 'default',
  status: 'revoked',
  gen: 1,
  roles: [],
  createdAt: 1,
  lastSeenAt: 2,
  idleExpiresAt: 3,
  absoluteExpiresAt: 4,
  endedAt: 5,
  current: true,
};

let service: FakeService;
let caller: GrpcCaller;
beforeAll(async () => {
  service = await startFakeService();
  caller = new GrpcCaller(service.endpoints.grpc);
});
beforeEach(() => {
  service.received.length = 0;
});
afterAll(async () => {
  caller.close();
  await service.close();
});
const call = (method: string, message: object, headers: Record<string, string> = {}) =>
  caller.call(`/curfew.v1.${method}`, message, { ...service.authorization(), ...headers });
const refused = async (method: string, message: object, headers?: Record<string, string>) => {
  const { status } = await call(method, message, headers);
  return [status?.code, status?.metadata['curfew-error-code'], status?.metadata['curfew-error-field']];
};
const received = () =>
  service.received.map((message) => [message.constructor.name, (message as { input?: object }).input]);
const answered = async (answer: unknown, method: string, message: object) => {
  service.answer = () => answer;
  return (await call(method, message)).answer;
};

describe('the gRPC door', () => {
  it('ends a scope', async () => {
    const done = { revocationId: 'r', epoch: 2, repeated: true, position: '9' };
    const message = {
      scope: 'user',
      sub: 'u',
      tenant: 'acme',
      except: ['a'.repeat(32)],
      reason: 'admin',
      initiator: 'admin',
      idempotencyKey: 'k'.repeat(22),
    };
    expect(await answered(done, 'RevocationService/RevokeAll', message)).toEqual(done);
    const pending = { ...done, viewPending: true };
    expect(await answered(pending, 'RevocationService/RevokeAll', { scope: 'client', client: 'c' })).toEqual(
      pending,
    );
    expect(received()).toEqual([
      ['RevokeAll', message],
      ['RevokeAll', { scope: 'client', client: 'c' }],
    ]);
  });

  it('says of every write whether a view may not show it yet', async () => {
    const pending = { viewPending: true };
    const created = await answered({ ...ISSUED, ...pending }, 'SessionService/Create', { sub: 'u' });
    const revoked = { revoked: true, position: '7', ...pending };
    expect(created).toMatchObject(pending);
    expect(await answered(revoked, 'RevocationService/Revoke', { sid: SID })).toEqual(revoked);
  });

  it('lists the sessions of a tenant, and marks the current one of a user', async () => {
    const page = { sessions: [SESSION], nextCursor: 'n' };
    const shown = {
      sessions: [{ sid: SID, status: 'SESSION_STATUS_REVOKED', current: true }],
      nextCursor: 'n',
    };
    const message = { tenant: 'acme', limit: 2, cursor: 'c', includeEnded: true };
    expect(await answered(page, 'SessionService/ListByTenant', message)).toMatchObject(shown);
    const ofUser = { sub: 'u', current: SID };
    expect(await answered(page, 'SessionService/ListByUser', ofUser)).toMatchObject(shown);
    expect(received()).toEqual([
      ['ListTenantSessions', message],
      ['ListUserSessions', ofUser],
    ]);
  });

  it('travels in time', async () => {
    const at = { sid: 's', tenant: 'acme', atMs: String(NOON) };
    expect(await answered(SESSION, 'AuditService/SessionAt', at)).toMatchObject({
      sid: SID,
      status: 'SESSION_STATUS_REVOKED',
      endedAt: '5',
    });
    const ofUser = { sub: 'u', atPosition: '7.9', limit: 3, cursor: 'c', includeEnded: true };
    expect(await answered({ sessions: [SESSION] }, 'AuditService/UserSessionsAt', ofUser)).toMatchObject({
      sessions: [{ sid: SID }],
    });
    expect(received()).toEqual([
      ['GetSessionAt', { sid: 's', tenant: 'acme', at: NOON }],
      ['ListUserSessionsAt', ofUser],
    ]);
  });

  it('shows the security feed and the counters', async () => {
    const entry = { eventId: 'e', kind: 'scope.revoked', position: '5', sub: 'u' };
    const page = { entries: [{ ...entry, at: NOON, tenant: 'acme', detail: { epoch: 2 } }], nextCursor: 'n' };
    expect(await answered(page, 'AuditService/SecurityFeed', { limit: 200, cursor: 'c' })).toEqual({
      entries: [{ ...entry, atMs: String(NOON), detailJson: '{"epoch":2}' }],
      nextCursor: 'n',
    });
    const counts = [{ hour: NOON, name: 'revoked:logout', count: 2 ** 40 }];
    const hours = { tenant: 'acme', fromMs: NOON, toMs: NOON + 1 };
    expect(await answered(counts, 'AuditService/Counters', hours)).toEqual({
      counts: [{ hourMs: String(NOON), name: 'revoked:logout', count: String(2 ** 40) }],
    });
    expect(received()).toEqual([
      ['ListSecurityFeed', { limit: 200, cursor: 'c' }],
      ['ListCounters', { tenant: 'acme', from: NOON, to: NOON + 1 }],
    ]);
  });

  it.each([
    ['RevocationService/RevokeAll', {}, 'scope'],
    ['RevocationService/RevokeAll', { scope: 'session' }, 'scope'],
    ['RevocationService/RevokeAll', { scope: 'global', except: ['x'] }, 'except'],
    ['RevocationService/RevokeAll', { scope: 'global', except: Array(33).fill(SID) }, 'except'],
    ['RevocationService/RevokeAll', { scope: 'user', sub: '' }, 'sub'],
    ['RevocationService/RevokeAll', { scope: 'client', client: '/' }, 'client'],
    ['RevocationService/RevokeAll', { scope: 'global', reason: 'theft' }, 'reason'],
    ['RevocationService/RevokeAll', { scope: 'global', idempotencyKey: 'short' }, 'idempotency_key'],
    ['SessionService/ListByTenant', { tenant: 'a b' }, 'tenant'],
    ['SessionService/ListByTenant', { limit: 101 }, 'limit'],
    ['SessionService/ListByUser', { sub: 'u', current: 'x' }, 'current'],
    ['AuditService/SessionAt', { atMs: NOON }, 'sid'],
    ['AuditService/SessionAt', { sid: 's', atMs: -1 }, 'at_ms'],
    ['AuditService/SessionAt', { sid: 's', atMs: 1_800_000_000 }, 'at_ms'],
    ['AuditService/SessionAt', { sid: 's', atMs: '9223372036854775807' }, 'at_ms'],
    ['AuditService/SessionAt', { sid: 's', atPosition: 'a b' }, 'at_position'],
    ['AuditService/UserSessionsAt', { atMs: NOON }, 'sub'],
    ['AuditService/UserSessionsAt', { sub: 'u', atMs: NOON, limit: 101 }, 'limit'],
    ['AuditService/SecurityFeed', { limit: 201 }, 'limit'],
    ['AuditService/Counters', {}, 'from_ms'],
    ['AuditService/Counters', { fromMs: NOON }, 'to_ms'],
    ['AuditService/Counters', { fromMs: NOON, toMs: 5 }, 'to_ms'],
  ])('%s names what is wrong with %j', async (method, message, field) => {
    expect(await refused(method, message)).toEqual([code.INVALID_ARGUMENT, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });
});

describe('G8: the metadata curfew-at-least', () => {
  const hours = { fromMs: NOON, toMs: NOON + 1 };
  const fresh: [string, object][] = [
    ['SessionService/ListByUser', { sub: 'u' }],
    ['SessionService/ListByTenant', {}],
    ['AuditService/SecurityFeed', {}],
    ['AuditService/Counters', hours],
  ];
  beforeEach(() => {
    service.answer = (message) =>
      message.constructor.name === 'ListCounters' ? [] : { sessions: [], entries: [] };
  });

  it.each(fresh)('reaches the use case of %s', async (method, message) => {
    await call(method, message, { 'curfew-at-least': '12.345' });
    await call(method, message, { 'curfew-at-least': '' });
    await call(method, message);
    const inputs = received().map(([, input]) => input as { atLeast?: string });
    expect(inputs.map(({ atLeast }) => atLeast)).toEqual(['12.345', undefined, undefined]);
  });

  it.each(fresh)('is refused by name at %s', async (method, message) => {
    for (const value of ['a b', 'x'.repeat(129)])
      expect(await refused(method, message, { 'curfew-at-least': value })).toEqual([
        code.INVALID_ARGUMENT,
        'ERR_VALIDATION',
        'curfew-at-least',
      ]);
    expect(service.received).toEqual([]);
  });

  it('is answered UNAVAILABLE when the view is behind', async () => {
    service.answer = () => {
      throw new CurfewError('ERR_VIEW_BEHIND');
    };
    const { status } = await call('SessionService/ListByUser', { sub: 'u' }, { 'curfew-at-least': '1' });
    expect(status).toMatchObject({
      code: code.UNAVAILABLE,
      metadata: { 'curfew-error-code': 'ERR_VIEW_BEHIND', 'retry-after': '1' },
    });
  });
});
