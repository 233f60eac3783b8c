import { describe, expect, it } from '@jest/globals';
import { RevocationMemory } from './revocation-memory.js';
import { toRevocationMessage } from './revocation-message.js';
import { revocationEvent } from './testing/fake-revocation-log.js';

const KEEP_MS = 1_000;
let xid = 0;
const add = (memory: RevocationMemory, sid: string, tenant = 'default', mark = String(++xid)) => {
  memory.add(toRevocationMessage(revocationEvent(sid, tenant, Number(mark)).event), mark);
};

describe('RevocationMemory', () => {
  it('knows a session by tenant and sid, and mixes no pair up with another', () => {
    const memory = new RevocationMemory(KEEP_MS);
    add(memory, '1', 'a1');
    expect(memory.has('a1', '1')).toBe(true);
    expect(memory.has('a', '11')).toBe(false);
    expect(memory.has('', 'a11')).toBe(false);
  });

  it('keeps a revocation for the window, counted from the first barrier after it was read', () => {
    const memory = new RevocationMemory(KEEP_MS);
    memory.barrier(0);
    add(memory, 's');
    memory.barrier(500);
    memory.barrier(1_500);
    expect(memory.has('default', 's')).toBe(true);
    memory.barrier(1_501);
    expect(memory.has('default', 's')).toBe(false);
    expect(memory.begin).toBe(memory.end);
  });

  it('keeps what was read just before the store’s clock jumped ahead', () => {
    const memory = new RevocationMemory(KEEP_MS);
    memory.barrier(0);
    add(memory, 's');
    memory.barrier(3_600_000);
    expect(memory.has('default', 's')).toBe(true);
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
    expect(memory.has('default', 's')).toBe(true);
    memory.barrier(1_801);
    expect(memory.has('default', 's')).toBe(false);
  });

  it('keeps numbers when it gives room back', () => {
    const memory = new RevocationMemory(KEEP_MS);
    for (let i = 0; i < 3_000; i++) {
      add(memory, `s${i}`);
      memory.barrier(i);
      expect(memory.end).toBe(i + 1);
      expect(memory.at(i).message.revocation.sid).toBe(`s${i}`);
      expect(memory.at(memory.begin).visibleBy).toBe(Math.max(0, i - KEEP_MS));
      expect(() => memory.at(memory.begin - 1)).toThrow(RangeError);
    }
    expect(memory.has('default', 's1998')).toBe(false);
    expect(memory.has('default', 's1999')).toBe(true);
  });
});

describe('toRevocationMessage', () => {
  it('reads a revocation', () => {
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

  it.each([
    ['a type of a later version', { type: 'scope.revoked' }],
    ['a stream that is no session', { stream: 'scope-user-a:b' }],
    ['a stream without sid', { stream: 'session-' }],
    ['data without tenant', { data: { sub: 'u', reason: 'user', initiator: 'user' } }],
  ])('refuses %s rather than skip it', (_, change) => {
    const event = { ...revocationEvent('s', 'default', 1).event, ...change };
    expect(() => toRevocationMessage(event)).toThrow(/no revocation that this version can read/);
  });
});
