import { describe, expect, it } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '#application';
import { sessionStream, userStream, type SessionCreated, type SessionEvent } from '#domain';
import { foldSessionViewChanges, sessionViewChanges } from './session-view-changes.js';

const recorded = (...events: readonly SessionEvent[]): NewEvent[] =>
  events.map(({ type, data }) => ({ type, data, id: 'id', schemaVersion: 1 }) as unknown as NewEvent);

const device = { keyId: 'k', box: 'b' };
const created: SessionCreated = {
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
    ep: [1, 2, 3, 4],
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
        ep_user: 1,
        ep_client: 2,
        ep_tenant: 3,
        ep_global: 4,
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

  it('adopts epochs at a rotation', () => {
    const adopting = { ...rotated, data: { ...rotated.data, ep: [5, 6, 7, 8] } } as SessionEvent;
    expect(changesOf(4, adopting)).toEqual([
      {
        sid: 's1',
        revision: 5,
        gen: 3,
        last_seen_at: 70,
        ep_user: 5,
        ep_client: 6,
        ep_tenant: 7,
        ep_global: 8,
      },
    ]);
  });

  it('knows a creation of version 1, which had no epochs', () => {
    const data = { ...created.data, ep: undefined };
    expect(changesOf(-1, { ...created, data } as unknown as SessionEvent)).toMatchObject([
      { ep_user: 0, ep_global: 0 },
    ]);
  });

  it('refuses a creation of no tenant rather than to pass over it', () => {
    const data = { ...created.data, tenant: undefined };
    expect(() => changesOf(-1, { ...created, data } as unknown as SessionEvent)).toThrow(TypeError);
  });

  it('keeps the first end', () => {
    expect(changesOf(4, revoked, expired)).toMatchObject([
      { revision: 6, ended_at: 90, ended_reason: 'theft' },
    ]);
  });
});

describe('the fold of recorded events', () => {
  const at = (sid: string, revision: number, event: SessionEvent): RecordedEvent => ({
    ...recorded(event)[0]!,
    stream: sessionStream(sid),
    revision,
    position: 'p',
  });
  const rotation = (gen: number, when: number, more: object = {}): SessionEvent => ({
    ...rotated,
    data: { ...rotated.data, gen, at: when, ...more },
  });

  it('has one change a session, with what was last and latest', () => {
    const changes = foldSessionViewChanges([
      at('a', 1, rotation(1, 80, { device, ep: [0, 3, 0, 0] })),
      at('b', 0, created),
      at('a', 2, rotation(2, 70, { ep: [1, 3, 0, 0] })),
      at('b', 1, rotation(1, 75)),
      at('a', 3, theft),
      at('a', 4, revoked),
    ]);
    expect(changes).toHaveLength(2);
    expect(changes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          sid: 'a',
          revision: 4,
          gen: 2,
          last_seen_at: 80,
          device,
          ep_user: 1,
          ep_client: 3,
          ended_reason: 'theft',
        }),
        expect.objectContaining({ sid: 'b', revision: 1, gen: 1, tenant: 't', last_seen_at: 75 }),
      ]),
    );
  });

  it('has nothing of streams that are not of sessions', () => {
    expect(foldSessionViewChanges([{ ...at('a', 0, created), stream: userStream('t', 'u') }])).toEqual([]);
  });
});
