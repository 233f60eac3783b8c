import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RenewalDesk } from './renewal-desk.js';
import { FakeRevocationLog, FakeRevocationStore } from './testing/fake-revocation-log.js';
import { Instance } from './testing/instance.js';
import { VirtualTimers } from './testing/virtual-timers.js';

describe('RenewalDesk', () => {
  let timers: VirtualTimers;
  let log: FakeRevocationLog;
  let instance: Instance;
  let desk: RenewalDesk;
  beforeEach(async () => {
    timers = new VirtualTimers();
    log = new FakeRevocationLog(new FakeRevocationStore(timers));
    instance = new Instance(log, timers);
    desk = new RenewalDesk({ follower: instance.follower, timers, maxWaiting: 3 });
    const ready = instance.follower.start();
    await timers.advance(10);
    await ready;
  });
  afterEach(async () => {
    desk.stop();
    const stopped = instance.stop();
    await timers.advance(1_000);
    await stopped;
    expect(timers.open).toBe(0);
  });

  it('G2: answers with a barrier that began after the call arrived, not with the one under way', async () => {
    log.writeMs = 30;
    const early = desk.renew();
    await timers.advance(60);
    const barriers = log.barriers;
    const late = desk.renew();
    await timers.advance(200);
    expect(Number((await early).barrier.n)).toBe(barriers);
    expect(Number((await late).barrier.n)).toBe(barriers + 1);
  });

  it('G2: the memory then holds every revocation that had returned before the call', async () => {
    log.store.revoke('s1');
    const answered = desk.renew().then(() => instance.follower.memory.end);
    await timers.advance(100);
    expect(await answered).toBe(1);
  });

  it('lets all that wait share one barrier, and spreads their next renewals', async () => {
    const before = log.barriers;
    const answers = Promise.all([desk.renew(), desk.renew(), desk.renew()]);
    await timers.advance(60);
    const answered = await answers;
    expect(log.barriers).toBe(before + 1);
    expect(new Set(answered.map(({ barrier }) => barrier.n)).size).toBe(1);
    expect(new Set(answered.map(({ renewAfterMs }) => renewAfterMs)).size).toBe(3);
    for (const { renewAfterMs } of answered) expect(Math.abs(renewAfterMs - 500)).toBeLessThanOrEqual(50);
  });

  it('goes on waiting over a failed barrier, and answers with the next', async () => {
    log.failing = true;
    const answer = desk.renew();
    await timers.advance(500);
    log.failing = false;
    await timers.advance(600);
    expect((await answer).barrier.n).toBeGreaterThan(1n);
  });

  it('refuses after 2 s, and whoever comes when too many wait', async () => {
    log.failing = true;
    const refused = { code: 'ERR_UNAVAILABLE', retryAfter: 1 };
    const all = Promise.allSettled([desk.renew(), desk.renew(), desk.renew()]);
    await expect(desk.renew()).rejects.toMatchObject(refused);
    await timers.advance(1_999);
    await expect(desk.renew()).rejects.toMatchObject(refused);
    await timers.advance(2);
    for (const result of await all) expect(result).toMatchObject({ status: 'rejected', reason: refused });
    log.failing = false;
    const later = desk.renew();
    await timers.advance(1_000);
    expect((await later).barrier.n).toBeGreaterThan(1n);
  });

  it('refuses all that wait when the instance stops', async () => {
    const waiting = desk.renew();
    desk.stop();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await expect(desk.renew()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });
});
