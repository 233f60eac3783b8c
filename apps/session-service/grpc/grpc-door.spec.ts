import { status as code } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { API_KEY_SCOPES, CurfewError, ERROR_CATALOGUE, ERROR_CODES } from '#contracts';
import { listDoors } from '../doors.js';
import { GrpcCaller } from '../testing/grpc-caller.js';
import { ISSUED, startFakeService, type FakeService } from '../testing/fake-service.js';

let service: FakeService;
let caller: GrpcCaller;
beforeAll(async () => {
  service = await startFakeService();
  caller = new GrpcCaller(service.endpoints.grpc);
});
beforeEach(() => {
  service.received.length = 0;
  service.answer = () => ISSUED;
  service.barrierAge = 12;
});
afterAll(async () => {
  caller.close();
  await service.close();
});

const CREATE = '/curfew.v1.SessionService/Create';
const call = (path: string, message: object | Buffer, headers: Record<string, string> = {}) =>
  caller.call(path, message, { ...service.authorization(), ...headers });
const refused = async (path: string, message: object | Buffer, headers?: Record<string, string>) => {
  const { status } = await call(path, message, headers);
  return [status?.code, status?.metadata['curfew-error-code'], status?.metadata['curfew-error-field']];
};
const inputs = () => service.received.map((message) => (message as { input?: object }).input);

describe('the gRPC door', () => {
  it('creates: fields, 64-bit times and claims reach the use case as they do over REST', async () => {
    const { answer } = await call(
      CREATE,
      {
        sub: 'u',
        device: { userAgent: 'x'.repeat(10_240), ip: '::1' },
        roles: ['a'],
        authTime: '1700000000',
        claimsJson: '{"plan":"pro"}',
        idempotencyKey: 'k'.repeat(22),
      },
      { 'x-correlation-id': 'trace-1' },
    );
    expect(answer).toEqual({
      ...ISSUED,
      refreshExpiresAt: '1800000000',
      accessExpiresAt: '1700000300',
    });
    expect(service.received[0]?.context.correlationId).toBe('trace-1');
    expect(inputs()).toEqual([
      {
        sub: 'u',
        device: { userAgent: 'x'.repeat(512), ip: '::1' },
        roles: ['a'],
        authTime: 1_700_000_000,
        claims: { plan: 'pro' },
        idempotencyKey: 'k'.repeat(22),
      },
    ]);
  });

  it('maps the other methods', async () => {
    const session = {
      sid: ISSUED.sid,
      sub: 'u',
      tenant: 'default',
      client: 'default',
      status: 'active',
      gen: 1,
      roles: ['r'],
      createdAt: 1,
      lastSeenAt: 2,
      idleExpiresAt: 3,
      absoluteExpiresAt: 4,
    };
    await call('/curfew.v1.SessionService/Refresh', { refreshToken: 'cfr_x' });
    service.answer = () => session;
    expect((await call('/curfew.v1.SessionService/Get', { sid: 'whatever' })).answer).toMatchObject({
      sid: ISSUED.sid,
      status: 'SESSION_STATUS_ACTIVE',
      roles: ['r'],
    });
    service.answer = () => ({ sessions: [session], nextCursor: 'c' });
    expect(
      (await call('/curfew.v1.SessionService/ListByUser', { sub: 'u', limit: 3, includeEnded: true })).answer,
    ).toMatchObject({
      sessions: [{ sub: 'u', status: 'SESSION_STATUS_ACTIVE' }],
      nextCursor: 'c',
    });
    service.answer = () => ({ active: true, claims: { sub: 'u' }, barrierAgeMs: 1.5 });
    expect((await call('/curfew.v1.SessionService/Introspect', { token: 't' })).answer).toEqual({
      active: true,
      claimsJson: '{"sub":"u"}',
      barrierAgeMs: 2,
    });
    service.answer = () => ({ active: false, barrierAgeMs: Infinity });
    expect((await call('/curfew.v1.SessionService/Introspect', { token: 't' })).answer).toEqual({
      active: false,
      barrierAgeMs: 4_294_967_295,
    });
    service.answer = () => ({ revoked: true, position: '7' });
    expect(
      (
        await call('/curfew.v1.RevocationService/Revoke', {
          sid: 's',
          sub: 'u',
          reason: 'logout',
          initiator: 'user',
          note: 'n',
        })
      ).answer,
    ).toEqual({ revoked: true, position: '7' });
    service.answer = () => ({
      events: [
        {
          id: 'e',
          type: 'session.created',
          revision: 0,
          position: '1',
          recordedAt: 5,
          actor: { kind: 'api-key', id: 'k' },
          initiator: 'user',
          correlationId: 'c',
          data: { sub: 'u' },
        },
      ],
    });
    expect((await call('/curfew.v1.AuditService/History', { sid: 's' })).answer).toEqual({
      events: [
        {
          id: 'e',
          type: 'session.created',
          position: '1',
          recordedAtMs: '5',
          revision: 0,
          actorKind: 'api-key',
          actorId: 'k',
          initiator: 'user',
          correlationId: 'c',
          dataJson: '{"sub":"u"}',
        },
      ],
    });
    expect(inputs().filter(Boolean)).toEqual([
      { refreshToken: 'cfr_x' },
      { sid: 'whatever' },
      { sub: 'u', limit: 3, includeEnded: true },
      { sid: 's', sub: 'u', reason: 'logout', initiator: 'user', note: 'n' },
      { sid: 's' },
    ]);
  });

  it.each([
    [{}, 'sub'],
    [{ sub: 'a\u0000' }, 'sub'],
    [{ sub: 'a', claimsJson: '{' }, 'claims_json'],
    [{ sub: 'a', claimsJson: '[]' }, 'claims_json'],
    [{ sub: 'a', claimsJson: '{"a":1,"a":1}' }, 'claims_json'],
    [{ sub: 'a', authTime: '9223372036854775807' }, 'auth_time'],
    [{ sub: 'a', idempotencyKey: 'short' }, 'idempotency_key'],
    [{ sub: 'a', device: { ip: 'x' } }, 'device.ip'],
    [{ sub: 'a', tenant: '' }, 'tenant'],
  ])('names what is wrong: %j', async (message, field) => {
    expect(await refused(CREATE, message)).toEqual([code.INVALID_ARGUMENT, 'ERR_VALIDATION', field]);
    expect(service.received).toEqual([]);
  });

  it.each([
    ['no protobuf', Buffer.from([0xff, 0xff, 0xff])],
    ['a string that is not UTF-8', Buffer.from([0x0a, 0x02, 0x61, 0xff])],
    ['such a string in a nested message', Buffer.from([0x0a, 0x01, 0x61, 0x22, 0x03, 0x0a, 0x01, 0xc3])],
    ['a length beyond the end', Buffer.from([0x0a, 0x7f, 0x61])],
    ['a number cut off', Buffer.from([0x0a, 0x01, 0x61, 0x40, 0x80])],
    ['a nested message cut off', Buffer.from([0x0a, 0x01, 0x61, 0x22, 0x02, 0x0a, 0x05])],
    ['a group', Buffer.from([0x0a, 0x01, 0x61, 0x0b, 0x0c])],
  ])('refuses %s', async (_name, bytes) => {
    expect((await refused(CREATE, bytes)).slice(0, 2)).toEqual([code.INVALID_ARGUMENT, 'ERR_MALFORMED_BODY']);
  });

  it('takes U+FFFD that was sent in earnest, and ignores unknown fields', async () => {
    const unknown = Buffer.from([0xfa, 0x7f, 0x02, 0xff, 0xfe]);
    const bytes = Buffer.concat([Buffer.from([0x0a, 0x03, 0xef, 0xbf, 0xbd]), unknown]);
    expect((await call(CREATE, bytes)).answer).toBeDefined();
    expect(inputs()).toEqual([{ sub: '\ufffd' }]);
  });

  it('refuses a message that is too large', async () => {
    const { status } = await call(CREATE, { sub: 'a'.repeat(70_000) });
    expect(status?.code).toBe(code.RESOURCE_EXHAUSTED);
  });

  describe('G10: without the right key', () => {
    const doors = listDoors().flatMap((door) =>
      door.kind === 'grpc' && door.method !== 'Watch' && door.access?.kind === 'scope' ? [door] : [],
    );
    it.each(doors)('refuses $service.$method', async ({ service: name, method, access }) => {
      const path = `/curfew.v1.${name}/${method}`;
      const { status } = await caller.call(path, {}, {});
      expect([status?.code, status?.metadata['curfew-error-code']]).toEqual([
        code.UNAUTHENTICATED,
        'ERR_UNAUTHENTICATED',
      ]);
      const scopes = access?.kind === 'scope' ? access.scopes : [];
      for (const scope of API_KEY_SCOPES.filter((each) => !scopes.includes(each))) {
        const forbidden = await caller.call(path, {}, service.authorization(scope));
        expect(forbidden.status?.code).toBe(code.PERMISSION_DENIED);
      }
      expect(service.received).toEqual([]);
    });
  });

  it.each(ERROR_CODES.filter((name) => ERROR_CATALOGUE[name].http > 0))(
    'answers %s as the catalogue says',
    async (name) => {
      service.answer = () => {
        throw new CurfewError(name, { detail: 'why', field: 'device.userAgent', cause: new Error('secret') });
      };
      const { status } = await call(CREATE, { sub: 'a' });
      const { grpc, retryable, title } = ERROR_CATALOGUE[name];
      expect(status).toMatchObject({
        code: code[grpc],
        details: `${title}: why`,
        metadata: { 'curfew-error-code': name, 'curfew-error-field': 'device.user_agent' },
      });
      expect(status?.metadata['retry-after']).toBe(retryable ? '1' : undefined);
    },
  );

  it('shows nothing of a defect but an id', async () => {
    service.answer = () => {
      throw new TypeError('secret');
    };
    const { status } = await call(CREATE, { sub: 'a' });
    expect(status).toMatchObject({ code: code.INTERNAL, metadata: { 'curfew-error-code': 'ERR_INTERNAL' } });
    expect(status?.details).not.toContain('secret');
    expect(status?.metadata['curfew-error-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('says how it is to everyone', async () => {
    const check = (name?: string) =>
      caller.call('/grpc.health.v1.Health/Check', name ? { service: name } : {}, {});
    expect((await check()).answer).toEqual({ status: 'SERVING' });
    expect((await check('curfew.v1.SessionService')).answer).toEqual({ status: 'SERVING' });
    expect((await check('nope')).status?.code).toBe(code.NOT_FOUND);
    service.barrierAge = 5_000;
    expect((await check()).answer).toEqual({ status: 'NOT_SERVING' });
  });
});
