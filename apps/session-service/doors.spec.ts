import { describe, expect, it } from '@jest/globals';
import { listDoors } from './doors.js';
import { loadProtos } from '#watch-door';

const doors = listDoors();
const nameOf = (door: (typeof doors)[number]) =>
  door.kind === 'http' ? `${door.method} ${door.path}` : `${door.service}.${door.method}`;

describe('the doors', () => {
  it('are those of DESIGN §9 that exist so far', () => {
    expect(doors.map(nameOf).sort()).toEqual(
      [
        'POST /v1/sessions',
        'POST /v1/sessions/refresh',
        'GET /v1/sessions/:sid',
        'DELETE /v1/sessions/:sid',
        'GET /v1/sessions/:sid/events',
        'GET /v1/users/:sub/sessions',
        'DELETE /v1/users/:sub/sessions',
        'DELETE /v1/users/:sub/sessions/:sid',
        'GET /v1/tenants/:tenant/sessions',
        'GET /v1/tenants/:tenant/counters',
        'POST /v1/revocations',
        'GET /v1/revocations/:id',
        'POST /v1/revocations/renewals',
        'GET /v1/audit/sessions/:sid',
        'GET /v1/audit/users/:sub/sessions',
        'GET /v1/security-feed',
        'GET /v1/projections',
        'POST /v1/projections/:name/rebuild',
        'POST /v1/projections/:name/resume',
        'GET /metrics',
        'POST /v1/introspect',
        'POST /v1/api-keys',
        'GET /v1/api-keys',
        'DELETE /v1/api-keys/:id',
        'GET /.well-known/jwks.json',
        'GET /healthz',
        'GET /readyz',
        'GET /openapi.json',
        'SessionService.Create',
        'SessionService.Refresh',
        'SessionService.Introspect',
        'SessionService.Get',
        'SessionService.ListByUser',
        'SessionService.ListByTenant',
        'RevocationService.GetReceipt',
        'RevocationService.Renew',
        'RevocationService.Revoke',
        'RevocationService.RevokeAll',
        'RevocationService.Watch',
        'AuditService.History',
        'AuditService.SessionAt',
        'AuditService.UserSessionsAt',
        'AuditService.SecurityFeed',
        'AuditService.Counters',
        'Health.Check',
        'Health.Watch',
      ].sort(),
    );
  });

  it('G10: each says who may use it', () => {
    expect(doors.filter(({ access }) => access === undefined).map(nameOf)).toEqual([]);
  });

  it('G10: only the key set and health are open to everyone', () => {
    expect(
      doors
        .filter(({ access }) => access?.kind === 'public')
        .map(nameOf)
        .sort(),
    ).toEqual(['GET /.well-known/jwks.json', 'GET /healthz', 'GET /readyz', 'Health.Check', 'Health.Watch']);
  });

  it('G10: mass revocation needs a scope of its own, or that of ending sessions one by one', () => {
    const scopesOf = (door: (typeof doors)[number]) =>
      door.access?.kind === 'scope' && door.access.scopes.includes('scopes:revoke')
        ? [[nameOf(door), door.access.scopes]]
        : [];
    const either = ['scopes:revoke', 'sessions:revoke'];
    const receipts = ['sessions:revoke', 'scopes:revoke', 'audit:read'];
    expect(Object.fromEntries(doors.flatMap(scopesOf))).toEqual({
      'DELETE /v1/users/:sub/sessions': either,
      'POST /v1/revocations': either,
      'RevocationService.RevokeAll': either,
      'GET /v1/revocations/:id': receipts,
      'RevocationService.GetReceipt': receipts,
    });
  });

  it('serve every method of the proto files', () => {
    const served = new Set(doors.filter(({ kind }) => kind === 'grpc').map(nameOf));
    const declared = Object.entries(loadProtos()).flatMap(([service, definition]) =>
      'format' in definition
        ? []
        : Object.keys(definition).map((method) => `${service.slice(service.lastIndexOf('.') + 1)}.${method}`),
    );
    expect([...served].sort()).toEqual(declared.sort());
  });
});
