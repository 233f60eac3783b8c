import { describe, expect, it } from '@jest/globals';
import { FakeRevocationLog, FakeRevocationStore } from '../testing/fake-revocation-log.js';
import { VirtualTimers } from '../testing/virtual-timers.js';
import { BacklogRevocationLog } from './backlog-revocation-log.js';

describe('BacklogRevocationLog', () => {
  it('G9: brings with its first answered barrier what the checkpoint does not show, and once only', async () => {
    const timers = new VirtualTimers();
    const store = new FakeRevocationStore(timers);
    const log = new FakeRevocationLog(store);
    store.revoke('before');
    const checkpoint = store.page('0:').cursor;
    store.revoke('in the outage');
    const recent = store.page('0:').cursor;
    store.revoke('now');
    let failing = true;
    const backlogged = new BacklogRevocationLog(log, checkpoint, (after) =>
      failing ? Promise.reject(new Error('too slow')) : log.read(after),
    );
    const barrier = async () => {
      const answer = backlogged.barrier(recent).then(({ events }) => events.map(({ event }) => event.stream));
      answer.catch(() => undefined);
      await timers.advance(50);
      return answer;
    };
    await expect(barrier()).rejects.toThrow('too slow');
    failing = false;
    expect(new Set(await barrier())).toEqual(new Set(['session-in the outage', 'session-now']));
    expect(await barrier()).toEqual(['session-now']);
  });
});
