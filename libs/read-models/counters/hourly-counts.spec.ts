import { describe, expect, it } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '#application';
import { sessionStream, type ScopeRevoked } from '#domain';
import { anEvent, created, revoked, rotated } from '../testing/events.js';
import { hourlyCounts } from './hourly-counts.js';

const recorded = (event: NewEvent): RecordedEvent => ({
  ...event,
  stream: sessionStream('s1'),
  revision: 0,
  position: 'p',
});
const HOUR = 3_600_000;
const massRevocation = (scope: Pick<ScopeRevoked['data'], 'kind' | 'tenant'>): RecordedEvent =>
  recorded(
    anEvent(
      {
        type: 'scope.revoked',
        data: {
          revocationId: 'r',
          ...scope,
          epoch: 1,
          excepted: {},
          reason: 'admin',
          initiator: 'admin',
          at: 1,
        },
      },
      { tenant: 'of-the-caller', recordedAt: 1 },
    ),
  );

describe('hourly counts', () => {
  it('adds up by tenant, hour of recorded-at and name', () => {
    expect(
      hourlyCounts(
        [
          created('u', 0, 'a'),
          created('u', HOUR - 1, 'a'),
          created('u', HOUR, 'a'),
          created('u', HOUR, 'b'),
          rotated(1, HOUR),
        ].map(recorded),
      ),
    ).toEqual([
      { tenant: 'a', hour: 0, name: 'created', count: 2 },
      { tenant: 'a', hour: HOUR, name: 'created', count: 1 },
      { tenant: 'b', hour: HOUR, name: 'created', count: 1 },
      { tenant: 'default', hour: HOUR, name: 'rotated', count: 1 },
    ]);
  });

  it('names what happened; an end with its reason', () => {
    const events = [
      anEvent({ type: 'session.rotation-replayed', data: { gen: 1, presentedGen: 0, rule: 'grace' } }),
      anEvent({ type: 'session.theft-detected', data: { presentedGen: 0, currentGen: 2 } }),
      revoked('u', 1, 'theft'),
      revoked('u', 1, 'credential-changed'),
      anEvent({ type: 'session.expired', data: { sub: 'u', tenant: 'default', reason: 'idle', at: 1 } }),
    ].map(recorded);
    expect(hourlyCounts(events).map(({ name }) => name)).toEqual([
      'replayed',
      'theft-detected',
      'revoked:theft',
      'revoked:credential-changed',
      'expired',
    ]);
  });

  it('counts a mass revocation for the tenant that it was of, and a global one for none', () => {
    expect(
      hourlyCounts([massRevocation({ kind: 'tenant', tenant: 'a' }), massRevocation({ kind: 'global' })]),
    ).toEqual([
      { tenant: 'a', hour: 0, name: 'mass-revoked', count: 1 },
      { tenant: '', hour: 0, name: 'mass-revoked', count: 1 },
    ]);
  });

  it('counts nothing else', () => {
    const other = { ...recorded(created('u', 1)), type: 'user.session-admitted' };
    expect(hourlyCounts([other])).toEqual([]);
  });
});
