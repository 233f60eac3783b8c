import { describe, expect, it } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '#application';
import { scopeStream, sessionStream, type ScopeRevoked } from '#domain';
import { anEvent, created, revoked, rotated } from '../testing/events.js';
import { securityFeedChanges } from './security-feed-changes.js';

const recorded = (event: NewEvent, stream = sessionStream('s1')): RecordedEvent => ({
  ...event,
  stream,
  revision: 3,
  position: 'p-1',
});
const device = { keyId: 'k', box: 'sealed' };
const scopeRevoked = (data: Partial<ScopeRevoked['data']>): RecordedEvent =>
  recorded(
    anEvent(
      {
        type: 'scope.revoked',
        data: {
          revocationId: 'r-1',
          kind: 'tenant',
          epoch: 4,
          excepted: { 's-7': 1, 's-8': 3 },
          reason: 'credential-changed',
          initiator: 'admin',
          at: 5,
          idempotencyKeyHash: 'hash',
          ...data,
        },
      },
      { tenant: 'of-the-caller', recordedAt: 70 },
    ),
    scopeStream({ kind: 'global' }),
  );

describe('changes of the security feed', () => {
  it('has a theft, without the sealed device of the presenter', () => {
    const theft = recorded(
      anEvent(
        { type: 'session.theft-detected', data: { presentedGen: 1, currentGen: 3, device } },
        { tenant: 't', recordedAt: 70 },
      ),
    );
    expect(securityFeedChanges([theft])).toEqual({
      rows: [
        {
          event_id: theft.id,
          position: 'p-1',
          tenant: 't',
          kind: 'session.theft-detected',
          sid: 's1',
          sub: null,
          at: 70,
          detail: { presentedGen: 1, currentGen: 3 },
        },
      ],
      victims: [],
    });
  });

  it('learns whose session was stolen from the revocation for theft, and from no other', () => {
    const { rows, victims } = securityFeedChanges([
      recorded(revoked('victim', 5, 'theft')),
      recorded(revoked('other', 5, 'logout')),
    ]);
    expect(rows).toEqual([]);
    expect(victims).toEqual([{ sid: 's1', sub: 'victim' }]);
  });

  it('has a replay with its rule', () => {
    const data = { gen: 4, presentedGen: 3, rule: 'grace', device } as const;
    const { rows } = securityFeedChanges([recorded(anEvent({ type: 'session.rotation-replayed', data }))]);
    expect(rows).toMatchObject([{ kind: 'session.rotation-replayed', sid: 's1', sub: null }]);
    expect(rows[0]?.detail).toEqual({ gen: 4, presentedGen: 3, rule: 'grace' });
  });

  it.each([
    [{ kind: 'user', tenant: 't', sub: 'u' }, { tenant: 't', sub: 'u' }, {}],
    [{ kind: 'client', tenant: 't', client: 'c' }, { tenant: 't', sub: null }, { client: 'c' }],
    [{ kind: 'tenant', tenant: 't' }, { tenant: 't', sub: null }, {}],
    // Of no tenant, whoever called.
    [{ kind: 'global' }, { tenant: '', sub: null }, {}],
  ] as const)('has a mass revocation of %j', (scope, row, more) => {
    const { rows } = securityFeedChanges([scopeRevoked(scope)]);
    expect(rows).toMatchObject([{ kind: 'scope.revoked', sid: null, at: 70, ...row }]);
    expect(rows[0]?.detail).toEqual({
      revocationId: 'r-1',
      kind: scope.kind,
      epoch: 4,
      reason: 'credential-changed',
      initiator: 'admin',
      excepted: 2,
      ...more,
    });
  });

  it('has nothing of the rest', () => {
    expect(securityFeedChanges([recorded(created('u', 1)), recorded(rotated(1, 2))])).toEqual({
      rows: [],
      victims: [],
    });
  });
});
