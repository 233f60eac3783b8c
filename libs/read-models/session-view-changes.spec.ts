import { describe, expect, it } from '@jest/globals';
import type { NewEvent } from '#application';
import { sessionStream, userStream, type SessionEvent } from '#domain';
import { sessionViewChanges } from './session-view-changes.js';

const recorded = (...events: readonly SessionEvent[]): NewEvent[] =>
  events.map(({ type, data }) => ({ type, data, id: 'id', schemaVersion: 1 }) as unknown as NewEvent);

const device = { keyId: 'k', box: 'b' };
const created: SessionEvent = {
  type: 'session.created',
  data: {
    sub: 'u',
    tenant: 't',
    client: 'c',
    roles: ['r'],
    authTime: 1,
    policy: { accessTtl: 1, idleTimeout: 200, absoluteTimeout: 1_000, reuseGrace: 10 },
    macKeyId: 1,
    secretHash: 'h',
    at: 5,
    accessExp: 9,
    device,
  },
};
const rotated: SessionEvent = {
  type: 'session.rotated',
  data: {
    gen: 3,
    secretHash: 'h',
    salt: 's',
    pepperId: 1,
    macKeyId: 1,
    at: 70,
    supersededAt: 71,
    accessExp: 9,
  },
};
const theft: SessionEvent = { type: 'session.theft-detected', data: { presentedGen: 1, currentGen: 3 } };
const revoked: SessionEvent = {
  type: 'session.revoked',
  data: { sub: 'u', tenant: 't', reason: 'theft', initiator: 'system', at: 90 },
};
const expired: SessionEvent = {
  type: 'session.expired',
  data: { sub: 'u', tenant: 't', reason: 'idle', at: 80 },
};
const changesOf = (expectedRevision: number, ...events: readonly SessionEvent[]) =>
  sessionViewChanges([{ stream: sessionStream('s1'), expectedRevision, events: recorded(...events) }]);

describe('changes of the session view', () => {
  it('makes the view of a new session, without its secrets', () => {
    expect(changesOf(-1, created)).toEqual([
      {
        sid: 's1',
        revision: 0,
        tenant: 't',
        sub: 'u',
        client: 'c',
        roles: ['r'],
        gen: 0,
        created_at: 5,
        last_seen_at: 5,
        idle_timeout: 200,
        absolute_timeout: 1_000,
        device,
      },
    ]);
  });

  it('moves generation and activity on at a rotation; the device stays unless there is another', () => {
    expect(changesOf(4, rotated)).toEqual([{ sid: 's1', revision: 5, gen: 3, last_seen_at: 70 }]);
    const elsewhere = { ...rotated, data: { ...rotated.data, device } } as SessionEvent;
    expect(changesOf(4, elsewhere)).toEqual([{ sid: 's1', revision: 5, gen: 3, last_seen_at: 70, device }]);
  });

  it('ends the view of a revoked and of an expired session', () => {
    expect(changesOf(4, theft, revoked)).toEqual([
      { sid: 's1', revision: 6, ended_at: 90, ended_reason: 'theft', ended_initiator: 'system' },
    ]);
    expect(changesOf(0, expired)).toEqual([
      { sid: 's1', revision: 1, ended_at: 80, ended_reason: 'idle', ended_initiator: 'policy' },
    ]);
  });

  it('has one change a session, of all sessions in the append, and none for what changes no view', () => {
    const both = sessionViewChanges([
      { stream: userStream('t', 'u'), expectedRevision: 3, events: recorded(theft) },
      { stream: sessionStream('new'), expectedRevision: -1, events: recorded(created, rotated) },
      { stream: sessionStream('old'), expectedRevision: 7, events: recorded(expired) },
      { stream: sessionStream('same'), expectedRevision: 7, events: recorded(theft) },
    ]);
    expect(both).toMatchObject([
      { sid: 'new', revision: 1, gen: 3, created_at: 5, last_seen_at: 70 },
      { sid: 'old', revision: 8, ended_reason: 'idle' },
    ]);
    expect(both).toHaveLength(2);
  });
});
