import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TokenSession } from '#application';
import { FIRST_EPOCHS, survives, type Epochs, type ScopeRef } from '#domain';
import { RevocationMemory } from './revocation-memory.js';
import { toRevocationMessage } from './revocation-message.js';
import { revocationEvent, scopeRevocationEvent } from './testing/fake-revocation-log.js';

const KEEP_MS = 1_000;
let xid = 0;
const add = (memory: RevocationMemory, sid: string, tenant = 'default', mark = String(++xid)) => {
  memory.add(toRevocationMessage(revocationEvent(sid, tenant, Number(mark)).event), mark);
};
const addScope = (
  memory: RevocationMemory,
  scope: ScopeRef,
  epoch: number,
  excepted?: Record<string, number>,
  id = ++xid,
  mark = id,
) => memory.add(toRevocationMessage(scopeRevocationEvent(scope, epoch, id, excepted).event), String(mark));

const session = (sid: string, changes: Partial<TokenSession> = {}): TokenSession => ({
  tenant: 'default',
  sub: 'u',
  client: 'c',
  sid,
  ep: FIRST_EPOCHS,
  ...changes,
});
const USER: ScopeRef = { kind: 'user', tenant: 'default', sub: 'u' };
const seen = (user: number): { ep: Epochs } => ({ ep: [user, 0, 0, 0] });

describe('RevocationMemory: sessions', () => {
  it('knows a session by tenant and sid, and mixes no pair up with another', () => {
    const memory = new RevocationMemory(KEEP_MS);
    add(memory, '1', 'a1');
    expect(memory.isRevoked(session('1', { tenant: 'a1' }))).toBe(true);
    expect(memory.isRevoked(session('11', { tenant: 'a' }))).toBe(false);
    expect(memory.isRevoked(session('a11', { tenant: '' }))).toBe(false);
  });

  it('keeps a revocation for the window, counted from the first barrier after it was read', () => {
    const memory = new RevocationMemory(KEEP_MS);
    memory.barrier(0);
    add(memory, 's');
    memory.barrier(500);
    memory.barrier(1_500);
    expect(memory.isRevoked(session('s'))).toBe(true);
    memory.barrier(1_501);
    expect(memory.isRevoked(session('s'))).toBe(false);
    expect(memory.begin).toBe(memory.end);
  });

  it('keeps what was read just before the store’s clock jumped ahead', () => {
    const memory = new RevocationMemory(KEEP_MS);
    memory.barrier(0);
    add(memory, 's');
    memory.barrier(3_600_000);
    expect(memory.isRevoked(session('s'))).toBe(true);
  });

  it('takes the same revocation again without queueing it twice', () => {
    const memory = new RevocationMemory(KEEP_MS);
    add(memory, 's', 'default', '7');
    add(memory, 's', 'default', '7');
    expect(memory.end - memory.begin).toBe(1);
  });

  it('remembers a session until the last of its revocations leaves', () => {
    const memory = new RevocationMemory(KEEP_MS);
    add(memory, 's');
    memory.barrier(0);
    add(memory, 's');
    memory.barrier(800);
    memory.barrier(1_100);
    expect(memory.isRevoked(session('s'))).toBe(true);
    memory.barrier(1_801);
    expect(memory.isRevoked(session('s'))).toBe(false);
  });

  it('keeps numbers when it gives room back', () => {
    const memory = new RevocationMemory(KEEP_MS);
    for (let i = 0; i < 3_000; i++) {
      add(memory, `s${i}`);
      memory.barrier(i);
      expect(memory.end).toBe(i + 1);
      expect(memory.at(i).message.revocation).toMatchObject({ sid: `s${i}` });
      expect(memory.at(memory.begin).visibleBy).toBe(Math.max(0, i - KEEP_MS));
      expect(() => memory.at(memory.begin - 1)).toThrow(RangeError);
    }
    expect(memory.isRevoked(session('s1998'))).toBe(false);
    expect(memory.isRevoked(session('s1999'))).toBe(true);
  });
});

describe('RevocationMemory: scopes', () => {
  it.each<[ScopeRef, Partial<TokenSession>]>([
    [USER, { sub: 'other' }],
    [USER, { tenant: 'other' }],
    [{ kind: 'client', tenant: 'default', client: 'c' }, { client: 'other' }],
    [{ kind: 'client', tenant: 'default', client: 'c' }, { tenant: 'other' }],
    [{ kind: 'tenant', tenant: 'default' }, { tenant: 'other' }],
  ])('G5: one message ends every session of %j and no other', (scope, outside) => {
    const memory = new RevocationMemory(KEEP_MS);
    addScope(memory, scope, 1);
    expect(memory.isRevoked(session('a'))).toBe(true);
    expect(memory.isRevoked(session('b'))).toBe(true);
    expect(memory.isRevoked(session('a', outside))).toBe(false);
  });

  it('G5: a global one ends all', () => {
    const memory = new RevocationMemory(KEEP_MS);
    addScope(memory, { kind: 'global' }, 1);
    expect(memory.isRevoked(session('a', { tenant: 'x', sub: 'y', client: 'z' }))).toBe(true);
    expect(memory.isRevoked(session('a', { ep: [0, 0, 0, 1] }))).toBe(false);
  });

  it('looks at the epoch of each scope by itself', () => {
    const memory = new RevocationMemory(KEEP_MS);
    addScope(memory, { kind: 'tenant', tenant: 'default' }, 3);
    expect(memory.isRevoked(session('a', { ep: [9, 9, 2, 9] }))).toBe(true);
    expect(memory.isRevoked(session('a', { ep: [0, 0, 3, 0] }))).toBe(false);
  });

  it('lets the highest epoch count, in whatever order they are read', () => {
    const memory = new RevocationMemory(KEEP_MS);
    addScope(memory, USER, 2, { b: 1 });
    addScope(memory, USER, 1, { a: 0 });
    expect(memory.isRevoked(session('a'))).toBe(true);
    expect(memory.isRevoked(session('a', seen(1)))).toBe(true);
    expect(memory.isRevoked(session('b', seen(1)))).toBe(false);
    expect(memory.isRevoked(session('c', seen(2)))).toBe(false);
  });

  it('queues every message, also one that changes nothing, and none twice', () => {
    const memory = new RevocationMemory(KEEP_MS);
    for (const again of [true, false, false]) {
      expect([3, 1, 2].map((epoch) => addScope(memory, USER, epoch, {}, 1_000 + epoch))).toEqual(
        Array(3).fill(again),
      );
    }
    expect([0, 1, 2].map((i) => memory.at(i).message.revocation)).toMatchObject([
      { epoch: 3 },
      { epoch: 1 },
      { epoch: 2 },
    ]);
  });

  it('forgets a scope with the last of its messages', () => {
    const memory = new RevocationMemory(KEEP_MS);
    addScope(memory, USER, 1, { a: 0 });
    memory.barrier(0);
    addScope(memory, USER, 2);
    memory.barrier(800);
    memory.barrier(1_100);
    expect(memory.isRevoked(session('a'))).toBe(true);
    memory.barrier(1_801);
    expect(memory.isRevoked(session('a'))).toBe(false);
  });

  it('G2: does not take an epoch that was given out again after a crash for the lost one, not even with its mark', () => {
    const memory = new RevocationMemory(KEEP_MS);
    addScope(memory, USER, 1, { lost: 0, both: 0 }, 2_001, 7);
    expect(addScope(memory, USER, 1, { both: 0 }, 2_002, 7)).toBe(true);
    expect(memory.isRevoked(session('lost'))).toBe(true);
    expect(memory.isRevoked(session('both'))).toBe(false);
  });

  it('G2: accepts only what survives every message, whatever their order and even of two histories', () => {
    const sids = ['a', 'b', 'toString'];
    const excepted = fc.dictionary(fc.constantFrom(...sids), fc.nat(5));
    const revocations = fc.array(fc.record({ epoch: fc.integer({ min: 1, max: 6 }), excepted }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(revocations, fc.constantFrom(...sids), fc.nat(6), (drawn, sid, ep) => {
        const memory = new RevocationMemory(KEEP_MS);
        const messages = drawn.map(({ epoch, excepted: map }) => ({
          epoch,
          excepted: Object.fromEntries(Object.entries(map).filter(([, from]) => from < epoch)),
        }));
        for (const { epoch, excepted: map } of messages) addScope(memory, USER, epoch, map);
        const alive = messages.every((message) => survives(message, ep, sid));
        expect(memory.isRevoked(session(sid, seen(ep)))).toBe(!alive);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('toRevocationMessage', () => {
  it('reads the revocation of a session', () => {
    const message = toRevocationMessage(revocationEvent('sid-1', 'acme', 5).event);
    expect(message).toEqual({
      scope: 'session',
      tenant: 'acme',
      sub: 'user',
      sid: 'sid-1',
      reason: 'logout',
      initiator: 'user',
      position: '5',
    });
  });

  it.each<[ScopeRef, object]>([
    [
      { kind: 'user', tenant: 'a:b', sub: 'c' },
      { tenant: 'a:b', sub: 'c', client: '' },
    ],
    [
      { kind: 'client', tenant: 'acme', client: 'web' },
      { tenant: 'acme', sub: '', client: 'web' },
    ],
    [
      { kind: 'tenant', tenant: 'acme' },
      { tenant: 'acme', sub: '', client: '' },
    ],
    [{ kind: 'global' }, { tenant: '', sub: '', client: '' }],
  ])('reads the revocation of %j', (scope, ids) => {
    const message = toRevocationMessage(scopeRevocationEvent(scope, 4, 5, { s: 0, t: 3 }).event);
    expect(message).toEqual({
      scope: scope.kind,
      ...ids,
      revocationId: 'revocation-5',
      epoch: 4,
      excepted: { s: 0, t: 3 },
      reason: 'admin',
      initiator: 'admin',
      position: '5',
    });
  });

  it.each([
    ['a type of a later version', { type: 'session.suspended' }],
    ['a stream that is no session', { stream: 'scope-user-a:b' }],
    ['a stream without sid', { stream: 'session-' }],
    ['data without tenant', { data: { sub: 'u', reason: 'user', initiator: 'user' } }],
  ])('G2: refuses %s rather than skip it', (_, change) => {
    const event = { ...revocationEvent('s', 'default', 1).event, ...change };
    expect(() => toRevocationMessage(event)).toThrow(/no revocation that this version can read/);
  });

  const { event: wholeTenant } = scopeRevocationEvent({ kind: 'tenant', tenant: 'acme' }, 4, 5);
  const { event: oneUser } = scopeRevocationEvent(USER, 4, 5);
  it.each([
    ['another tenant’s stream', { ...wholeTenant, stream: 'epoch-tenant-other' }],
    ['another kind’s stream', { ...wholeTenant, stream: 'epoch-global' }],
    ['a session’s stream', { ...wholeTenant, stream: 'session-s' }],
    ['a kind of a later version', { ...wholeTenant, data: { ...wholeTenant.data, kind: 'device' } }],
    ['a user without sub', { ...oneUser, data: { ...oneUser.data, sub: undefined } }],
    ...[undefined, 0, -1, 1.5, 2 ** 32, '4'].map((epoch) => [
      `the epoch ${epoch}`,
      { ...wholeTenant, data: { ...wholeTenant.data, epoch } },
    ]),
    ...[undefined, null, [], 's', { s: 4 }, { s: -1 }, { s: '1' }, { s: null }].map((excepted) => [
      `the exceptions ${JSON.stringify(excepted)}`,
      { ...wholeTenant, data: { ...wholeTenant.data, excepted } },
    ]),
    ['no revocation id', { ...wholeTenant, data: { ...wholeTenant.data, revocationId: '' } }],
  ] as [string, typeof wholeTenant][])('G2: refuses %s rather than skip it', (_, event) => {
    expect(() => toRevocationMessage(event)).toThrow(/no revocation that this version can read/);
  });

  it('G2: lets nobody change what all subscribers share', () => {
    const message = toRevocationMessage(scopeRevocationEvent(USER, 4, 5, { s: 0 }).event);
    expect(Object.isFrozen(message)).toBe(true);
    expect('excepted' in message && Object.isFrozen(message.excepted)).toBe(true);
  });
});
