import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCurfewError } from '#contracts';
import { CreateApiKeyBody } from './api-key.dto.js';
import { CountersQuery, SecurityFeedQuery, SessionAtQuery, UserSessionsAtQuery } from './audit.dto.js';
import { ListSessionsQuery, TenantSessionsQuery } from './list.dto.js';
import { readDto } from './read-dto.js';
import { MassRevocationBody, RevokeUserSessionsBody, RevokeUserSessionsQuery } from './revocation.dto.js';
import { CreateSessionBody, RefreshSessionBody, RevokeSessionBody } from './session.dto.js';

const refusedField = (type: new () => object, value: unknown): string | undefined => {
  try {
    readDto(type, value);
  } catch (error) {
    if (isCurfewError(error, 'ERR_VALIDATION')) return error.field ?? 'the whole';
    throw error;
  }
  return undefined;
};
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
const create = (fields: object) => refusedField(CreateSessionBody, { sub: 'user-1', ...fields });

const BODIES = [
  CreateSessionBody,
  RefreshSessionBody,
  RevokeSessionBody,
  RevokeUserSessionsBody,
  MassRevocationBody,
  CreateApiKeyBody,
];
const QUERIES = [
  ListSessionsQuery,
  TenantSessionsQuery,
  RevokeUserSessionsQuery,
  SessionAtQuery,
  UserSessionsAtQuery,
  SecurityFeedQuery,
  CountersQuery,
];

describe('readDto', () => {
  it('keeps exactly what was given', () => {
    const body = {
      sub: 'Zoë 💚',
      tenant: 'acme.eu',
      device: { name: 'Phone', userAgent: 'Mozilla/5.0', ip: '2001:db8::1' },
      roles: ['admin'],
      amr: ['pwd'],
      authTime: 1_700_000_000,
      claims: { plan: 'pro', flags: [1, null, { deep: true }] },
    };
    expect({ ...readDto(CreateSessionBody, body) }).toEqual(body);
    expect(Object.keys(readDto(CreateSessionBody, { sub: 'a' }))).toEqual(['sub']);
  });

  it.each([
    [undefined, 'sub'],
    [{}, 'sub'],
    [null, 'the whole'],
    [[], 'the whole'],
    ['text', 'the whole'],
    [7, 'the whole'],
  ])('refuses %j', (body, field) => {
    expect(refusedField(CreateSessionBody, body)).toBe(field);
  });

  it.each([
    [{ sub: '' }, 'sub'],
    [{ sub: null }, 'sub'],
    [{ sub: 7 }, 'sub'],
    [{ sub: ['a'] }, 'sub'],
    [{ sub: 'x'.repeat(256) }, 'sub'],
    [{ sub: 'a\u0000b' }, 'sub'],
    [{ sub: 'a\nb' }, 'sub'],
    [{ sub: 'a\u0085b' }, 'sub'],
    [{ sub: '\ud800' }, 'sub'],
    [{ tenant: null }, 'tenant'],
    [{ tenant: 'a/b' }, 'tenant'],
    [{ tenant: 'a'.repeat(65) }, 'tenant'],
    [{ client: 'ü' }, 'client'],
    [{ roles: 'admin' }, 'roles'],
    [{ roles: ['a', ''] }, 'roles'],
    [{ roles: ['a', 1] }, 'roles'],
    [{ roles: Array(65).fill('a') }, 'roles'],
    [{ amr: ['x'.repeat(65)] }, 'amr'],
    [{ sub: { constructor: 1 } }, 'sub'],
    [{ roles: [{ constructor: 1, then: 2 }] }, 'roles'],
    [{ authTime: '1700000000' }, 'authTime'],
    [{ authTime: 1.5 }, 'authTime'],
    [{ authTime: 1_700_000_000_000 }, 'authTime'],
    [{ authTime: -1 }, 'authTime'],
    [{ device: 'phone' }, 'device'],
    [{ device: [{}] }, 'device'],
    [{ device: null }, 'device'],
    [{ device: { ip: '1.2.3' } }, 'device.ip'],
    [{ device: { ip: '1.2.3.4, 5.6.7.8' } }, 'device.ip'],
    [{ device: { name: 'x'.repeat(129) } }, 'device.name'],
    [{ device: { userAgent: 1 } }, 'device.userAgent'],
    [{ device: { colour: 'red' } }, 'device.colour'],
    [{ replaces: 'A'.repeat(32) }, 'replaces'],
    [{ idempotencyKey: 'x'.repeat(32) }, 'idempotencyKey'],
    [{ isAdmin: true }, 'isAdmin'],
  ])('refuses %j by the name of its field', (fields, field) => {
    expect(create(fields)).toBe(field);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'refuses the unknown field %s',
    (name) => {
      expect(create(JSON.parse(`{"${name}":{}}`) as object)).toBe(name);
      expect(create({ device: JSON.parse(`{"${name}":1}`) as object })).toBe(`device.${name}`);
    },
  );

  it.each([
    [[], 'array'],
    [null, 'null'],
    ['{}', 'text'],
    [{ a: 'x'.repeat(2_048) }, 'too long'],
    [nested(10), 'too deep'],
    [{ a: '\u0000' }, 'NUL'],
    [{ '\u0001': 1 }, 'control character in a name'],
    [{ a: ['\udc00'] }, 'broken Unicode'],
    [JSON.parse('{"n":12345678901234567890}') as unknown, 'rounded number'],
    [{ n: Infinity }, 'infinite number'],
    [JSON.parse('{"a":{"__proto__":{}}}') as unknown, '__proto__'],
    [{ constructor: 1 }, 'constructor'],
  ])('refuses claims %j (%s)', (claims) => {
    expect(create({ claims })).toBe('claims');
  });

  it('cuts and cleans a user agent, and never refuses one for what it says', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 2_000 }),
          fc.constant('x'.repeat(10_240)),
          fc.constant('💚'.repeat(400)),
        ),
        (userAgent) => {
          const { device } = readDto(CreateSessionBody, { sub: 'a', device: { userAgent } });
          const kept = device?.userAgent ?? '';
          expect(kept.length).toBeLessThanOrEqual(512);
          expect(kept).not.toMatch(/[\p{Cc}\p{Cs}]/u);
          expect(kept === '').toBe(userAgent === '');
        },
      ),
    );
  });

  it('reads flags and numbers of a query from text', () => {
    expect({ ...readDto(ListSessionsQuery, { limit: '7', includeEnded: 'true' }) }).toEqual({
      limit: 7,
      includeEnded: true,
    });
    for (const limit of ['0', '101', '-1', '1.5', '', '1e1', ['1', '2']])
      expect(refusedField(ListSessionsQuery, { limit })).toBe('limit');
    expect(refusedField(ListSessionsQuery, { includeEnded: '1' })).toBe('includeEnded');
  });

  it('reads a list of a query from a name that comes once, or more often', () => {
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
    expect(readDto(RevokeUserSessionsQuery, { except: a }).except).toEqual([a]);
    expect(readDto(RevokeUserSessionsQuery, { except: [a, b] }).except).toEqual([a, b]);
    expect(refusedField(RevokeUserSessionsQuery, { except: '' })).toBe('except');
    expect(refusedField(MassRevocationBody, { scope: 'global', except: a })).toBe('except');
  });

  it('reads instants as milliseconds', () => {
    const query = { from: '2026-11-23T12:00:00Z', to: '1800000000000' };
    expect({ ...readDto(CountersQuery, query) }).toEqual({
      from: Date.UTC(2026, 10, 23, 12),
      to: 1_800_000_000_000,
    });
    expect(refusedField(CountersQuery, { ...query, to: 'soon' })).toBe('to');
    expect(refusedField(CountersQuery, { from: query.from })).toBe('to');
  });

  it('takes any text for a refresh token: the use case judges it', () => {
    expect(refusedField(RefreshSessionBody, { refreshToken: 'garbage\u0000' })).toBeUndefined();
    expect(refusedField(RefreshSessionBody, { refreshToken: '' })).toBe('refreshToken');
    expect(refusedField(RefreshSessionBody, { refreshToken: {} })).toBe('refreshToken');
  });

  it("refuses reasons that are the service's own", () => {
    expect(refusedField(RevokeSessionBody, { reason: 'theft' })).toBe('reason');
    expect(refusedField(RevokeSessionBody, { reason: 'logout', initiator: 'user' })).toBeUndefined();
  });

  it.each([
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes'],
    [{ name: 'x', scopes: ['admin', 'admin'] }, 'scopes'],
    [{ name: 'x', scopes: ['admin'], tenants: [] }, 'tenants'],
    [{ name: 'x', scopes: ['admin'], tenants: ['a b'] }, 'tenants'],
    [{ name: 'x', scopes: ['admin'], tenants: ['*'], audiences: ['*'] }, undefined],
  ])('reads API keys: %j', (body, field) => {
    expect(refusedField(CreateApiKeyBody, body)).toBe(field);
  });

  it('answers any JSON with a DTO or a validation error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const type of BODIES) refusedField(type, value);
      }),
    );
    const fields = fc.constantFrom('at', 'atPosition', 'from', 'to', 'except', 'current', 'limit', 'cursor');
    fc.assert(
      fc.property(fc.dictionary(fields, fc.oneof(fc.string(), fc.jsonValue())), (value) => {
        for (const type of QUERIES) refusedField(type, value);
      }),
    );
    fc.assert(
      fc.property(
        fc.record(
          { sub: fc.constant('a'), device: fc.jsonValue(), claims: fc.jsonValue(), roles: fc.jsonValue() },
          { requiredKeys: ['sub'] },
        ),
        (value) => {
          refusedField(CreateSessionBody, value);
        },
      ),
    );
  });
});
