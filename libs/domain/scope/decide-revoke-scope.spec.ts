import { describe, expect, it } from '@jest/globals';
import {
  given,
  MINUTE,
  QUIET_SCOPES,
  revokedBy,
  rotatedTo,
  sessionCreated,
  START,
} from '../session/session.spec-support.js';
import { decideRevokeScope, type Exception, type RevokeScope } from './decide-revoke-scope.js';
import type { ScopeRevoked } from './events.js';
import type { Epochs, ScopeRef } from './scope.js';
import { endedBy, evolveScope, initialScopeState, survives, type ScopeState } from './state.js';

const USER: ScopeRef = { kind: 'user', tenant: 'default', sub: 'user-1' };
const NOW = START + MINUTE;

const exception = (sid: string, changes: Partial<Exception> = {}): Exception => ({
  sid,
  session: given(sessionCreated()),
  scopes: QUIET_SCOPES,
  ...changes,
});

/** A session that saw this epoch of its user. */
const seeing = (epoch: number) => given(sessionCreated({ ep: [epoch, 0, 0, 0] }));

const revoking = (changes: Partial<RevokeScope> = {}): RevokeScope => ({
  scope: USER,
  revocationId: 'revocation-x',
  now: NOW,
  reason: 'user',
  initiator: 'user',
  exceptions: [],
  ...changes,
});

const scopeRevoked = (
  epoch: number,
  excepted: Record<string, number> = {},
  changes: Partial<ScopeRevoked['data']> = {},
): ScopeRevoked => ({
  type: 'scope.revoked',
  data: {
    revocationId: `revocation-${epoch}`,
    ...USER,
    epoch,
    excepted,
    reason: 'user',
    initiator: 'user',
    at: START + epoch,
    ...changes,
  },
});

const after = (...events: readonly ScopeRevoked[]): ScopeState =>
  events.reduce(evolveScope, initialScopeState);

describe('mass revocation', () => {
  it('G5: raises the epoch by one, in one event, whatever the scope holds', () => {
    expect(decideRevokeScope(after(scopeRevoked(1)), revoking())).toEqual({
      outcome: 'revoked',
      event: {
        type: 'scope.revoked',
        data: {
          revocationId: 'revocation-x',
          kind: 'user',
          tenant: 'default',
          sub: 'user-1',
          epoch: 2,
          excepted: {},
          reason: 'user',
          initiator: 'user',
          at: NOW,
        },
      },
    });
  });

  it('ends what has not seen the new epoch, and nothing that has', () => {
    const scope = after(scopeRevoked(1));
    expect(survives(scope, 0, 'a')).toBe(false);
    expect(survives(scope, 1, 'a')).toBe(true);
  });

  it('spares a listed session from the epoch before on', () => {
    const decision = decideRevokeScope(
      after(scopeRevoked(1)),
      revoking({ exceptions: [exception('a', { session: seeing(1) })] }),
    );
    expect(decision).toMatchObject({ event: { data: { epoch: 2, excepted: { a: 1 } } } });
  });

  it('keeps the first epoch of a session that every revocation has spared, and drops one that is not listed again', () => {
    const scope = after(scopeRevoked(1, { a: 0, b: 0 }));
    const decision = decideRevokeScope(
      scope,
      revoking({ exceptions: [exception('a', { session: seeing(0) })] }),
    );
    expect(decision).toMatchObject({ event: { data: { epoch: 2, excepted: { a: 0 } } } });
  });

  it.each<[string, ScopeState, Partial<Exception>]>([
    ['was ended by an earlier mass revocation', after(scopeRevoked(1)), { session: seeing(0) }],
    [
      'was spared once and then not',
      after(scopeRevoked(1, { a: 0 }), scopeRevoked(2)),
      { session: seeing(0) },
    ],
    ['has ended', initialScopeState, { session: given(sessionCreated(), revokedBy('logout', START)) }],
    ['has expired', initialScopeState, { session: given(sessionCreated({ at: START - 90 * 86_400_000 })) }],
    ['does not exist', initialScopeState, { session: { status: 'none' } }],
    ['belongs to another user', initialScopeState, { session: given(sessionCreated({ sub: 'user-2' })) }],
    ['belongs to another tenant', initialScopeState, { session: given(sessionCreated({ tenant: 'other' })) }],
    [
      'was ended by a mass revocation of its tenant',
      initialScopeState,
      { scopes: [initialScopeState, initialScopeState, after(scopeRevoked(1)), initialScopeState] },
    ],
  ])('refuses an exception for a session that %s: it must not revive', (_, scope, changes) => {
    const decision = decideRevokeScope(scope, revoking({ exceptions: [exception('a', changes)] }));
    expect(decision).toEqual({ outcome: 'exception-refused', sid: 'a' });
  });

  it('judges the revoked scope by its own state, not by what the exception was loaded with', () => {
    const stale = exception('a', { session: seeing(0), scopes: QUIET_SCOPES });
    expect(decideRevokeScope(after(scopeRevoked(1)), revoking({ exceptions: [stale] }))).toMatchObject({
      outcome: 'exception-refused',
    });
  });

  it('answers a repeated key with the first revocation and raises nothing, also after others', () => {
    const scope = after(scopeRevoked(1, {}, { idempotencyKeyHash: 'key' }), scopeRevoked(2));
    expect(decideRevokeScope(scope, revoking({ idempotencyKeyHash: 'key' }))).toMatchObject({
      outcome: 'repeated',
      first: { revocationId: 'revocation-1', epoch: 1 },
    });
    expect(decideRevokeScope(scope, revoking({ idempotencyKeyHash: 'another' }))).toMatchObject({
      outcome: 'revoked',
    });
  });

  it('refuses a key that came before with other exceptions: the caller would think that it was done', () => {
    const scope = after(scopeRevoked(1, { a: 0 }, { idempotencyKeyHash: 'key' }));
    const spareA = { idempotencyKeyHash: 'key', exceptions: [exception('a')] };
    expect(decideRevokeScope(scope, revoking(spareA))).toMatchObject({ outcome: 'repeated' });
    for (const other of [
      { exceptions: [] },
      { exceptions: [exception('b')] },
      { reason: 'admin' as const },
    ]) {
      expect(decideRevokeScope(scope, revoking({ ...spareA, ...other }))).toEqual({ outcome: 'key-reused' });
    }
  });
});

describe('which mass revocation ended a session', () => {
  const quiet = initialScopeState;
  const ended = (user: ScopeState, ep: Epochs, tenant: ScopeState = quiet) =>
    endedBy([user, quiet, tenant, quiet], ep, 'a')?.revocationId;

  it('is the first that did not spare it', () => {
    const scope = after(scopeRevoked(1, { a: 0 }), scopeRevoked(2), scopeRevoked(3));
    expect(ended(scope, [0, 0, 0, 0])).toBe('revocation-2');
    expect(ended(scope, [2, 0, 0, 0])).toBe('revocation-3');
    expect(ended(scope, [3, 0, 0, 0])).toBeUndefined();
  });

  it('is the earliest of those of several scopes', () => {
    const tenant = after(scopeRevoked(1, {}, { revocationId: 'of-tenant', at: START - 1 }));
    expect(ended(after(scopeRevoked(1)), [0, 0, 0, 0], tenant)).toBe('of-tenant');
  });

  it('is the oldest remembered one when it is longer ago than that', () => {
    const scope = after(...Array.from({ length: 40 }, (_, i) => scopeRevoked(i + 1)));
    expect(scope.recent).toHaveLength(32);
    expect(ended(scope, [0, 0, 0, 0])).toBe('revocation-9');
  });
});

describe('a refreshing session', () => {
  it('adopts the epochs of its scopes', () => {
    const session = given(sessionCreated(), {
      ...rotatedTo(1, START),
      data: { ...rotatedTo(1, START).data, ep: [3, 0, 1, 0] },
    } as never);
    expect(session).toMatchObject({ ep: [3, 0, 1, 0] });
  });
});
