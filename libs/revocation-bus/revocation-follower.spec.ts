import { describe, expect, it } from '@jest/globals';
import type { TokenSession } from '#application';
import { FIRST_EPOCHS, type Epochs } from '#domain';
import { BarrierReferenceClock } from './barrier-reference-clock.js';
import { BARRIER_SPACING_MS, IDLE_BARRIER_MS } from './follower-schedule.js';
import { RevocationFollower, type FollowerAlarm } from './revocation-follower.js';
import { FakeRevocationLog, FakeRevocationStore } from './testing/fake-revocation-log.js';
import { VirtualTimers } from './testing/virtual-timers.js';

const MAX_ACCESS_TTL = 900_000;
const WINDOW_MS = MAX_ACCESS_TTL + 60_000;

const session = (sid: string, tenant = 'default', ep: Epochs = FIRST_EPOCHS): TokenSession => ({
  tenant,
  sub: 'user',
  client: 'default',
  sid,
  ep,
});

function setUp(timers = new VirtualTimers(), store = new FakeRevocationStore(timers)) {
  const log = new FakeRevocationLog(store);
  const clock = new BarrierReferenceClock(timers);
  const alarms: FollowerAlarm[] = [];
  const follower = new RevocationFollower({
    log,
    clock,
    timers,
    maxAccessTtl: MAX_ACCESS_TTL,
    onAlarm: (alarm) => alarms.push(alarm),
  });
  const stop = async () => {
    const stopped = follower.stop();
    await timers.advance(2_000);
    await stopped;
  };
  return { timers, store, log, clock, alarms, follower, stop };
}

describe('RevocationFollower', () => {
  it('is started when its first barrier is answered, and knows what was revoked before', async () => {
    const { timers, store, clock, follower, stop } = setUp();
    store.revoke('old');
    let started = false;
    void follower.start().then(() => (started = true));
    expect(started).toBe(false);
    await timers.advance(10);
    expect(started).toBe(true);
    expect(follower.isRevoked(session('old'))).toBe(true);
    expect(follower.isRevoked(session('old', 'other'))).toBe(false);
    expect(clock.now()).toBeLessThanOrEqual(store.clock());
    expect(clock.now()).toBeGreaterThan(store.clock() - 10);
    await stop();
  });

  it('G5: knows a mass revocation, also one that was made before it started', async () => {
    const { timers, store, log, follower, stop } = setUp();
    store.revokeScope({ kind: 'user', tenant: 'default', sub: 'user' }, 1, { spared: 0 });
    void follower.start();
    await timers.advance(10);
    expect(follower.isRevoked(session('s'))).toBe(true);
    expect(follower.isRevoked(session('spared'))).toBe(false);
    expect(follower.isRevoked(session('s', 'default', [1, 0, 0, 0]))).toBe(false);
    store.revokeScope({ kind: 'global' }, 1);
    log.wake();
    await timers.advance(5);
    expect(follower.isRevoked(session('spared'))).toBe(true);
    expect(follower.isRevoked(session('s', 'other', [1, 1, 1, 0]))).toBe(true);
    expect(follower.isRevoked(session('s', 'other', [0, 0, 0, 1]))).toBe(false);
    await stop();
  });

  it('G2: stops at a scope’s event that it cannot read: no barrier is answered behind it', async () => {
    const { timers, store, clock, alarms, follower, stop } = setUp();
    store.revokeScope({ kind: 'tenant', tenant: 'default' }, 0);
    void follower.start();
    await timers.advance(1_000);
    expect(String(alarms[0]?.error)).toMatch(/no revocation that this version can read/);
    expect(clock.barrierAge()).toBe(Infinity);
    await stop();
  });

  it('starts from a cursor that is old enough for every token that still counts', async () => {
    const { timers, store, follower, stop } = setUp();
    void follower.start();
    await timers.advance(10_000);
    store.revoke('long-ago');
    await timers.advance(20_000);
    store.revoke('lately');
    await timers.advance(WINDOW_MS - 10_000);
    await stop();

    const restarted = setUp(timers, store);
    void restarted.follower.start();
    await timers.advance(10);
    expect(restarted.follower.isRevoked(session('lately'))).toBe(true);
    expect(restarted.follower.isRevoked(session('long-ago'))).toBe(false);
    await restarted.stop();
  });

  it('stores a cursor every 5 s, never with a time before the cursor was taken', async () => {
    const { timers, store, log, follower, stop } = setUp();
    const takenBy = new Map<string, number>();
    const page = store.page.bind(store);
    store.page = (after) => {
      store.revoke(`s${timers.monotonic()}`);
      const result = page(after);
      takenBy.set(result.cursor, store.clock());
      return result;
    };
    log.readMs = 400;
    void follower.start();
    await timers.advance(60_000);
    expect(store.remembered.length).toBeGreaterThanOrEqual(9);
    expect(store.remembered.length).toBeLessThanOrEqual(11);
    for (const { cursor, referenceTime, keepMs } of store.remembered) {
      expect(referenceTime).toBeGreaterThanOrEqual(takenBy.get(cursor) ?? Infinity);
      expect(keepMs).toBe(WINDOW_MS);
    }
    await stop();
  });

  it('hears of a revocation by a wake-up at once, and without one by polling', async () => {
    const { timers, store, log, follower, stop } = setUp();
    void follower.start();
    await timers.advance(100);
    store.revoke('woken');
    log.wake();
    await timers.advance(5);
    expect(follower.isRevoked(session('woken'))).toBe(true);
    store.revoke('polled');
    await timers.advance(250);
    expect(follower.isRevoked(session('polled'))).toBe(true);
    await stop();
  });

  it('reads again after a wake-up that came during a read', async () => {
    const { timers, store, log, follower, stop } = setUp();
    log.readMs = 40;
    void follower.start();
    await timers.advance(100);
    log.wake();
    await timers.advance(30);
    store.revoke('late');
    log.wake();
    await timers.advance(60);
    expect(follower.isRevoked(session('late'))).toBe(true);
    await stop();
  });

  it('reads what an old transaction commits after younger ones', async () => {
    const { timers, store, log, follower, stop } = setUp();
    void follower.start();
    const old = store.begin('old-transaction');
    for (const sid of ['a', 'b', 'c']) store.revoke(sid);
    await timers.advance(5_000);
    expect(follower.isRevoked(session('c'))).toBe(true);
    expect(follower.isRevoked(session('old-transaction'))).toBe(false);
    old.commit();
    log.wake();
    await timers.advance(5);
    expect(follower.isRevoked(session('old-transaction'))).toBe(true);
    await stop();
  });

  it('counts the window from when a revocation became visible, not from when it was recorded', async () => {
    const { timers, store, follower, stop } = setUp();
    void follower.start();
    await timers.advance(1_000);
    const recordedLongAgo = store.begin('s');
    await timers.advance(WINDOW_MS);
    recordedLongAgo.commit();
    await timers.advance(WINDOW_MS - 1_000);
    expect(follower.isRevoked(session('s'))).toBe(true);
    await timers.advance(10_000);
    expect(follower.isRevoked(session('s'))).toBe(false);
    await stop();
  });

  it('takes no barrier’s time for what its read showed: that may have become visible much later', async () => {
    const { timers, store, log, follower, stop } = setUp();
    void follower.start();
    await timers.advance(100);
    log.readMs = 100_000;
    follower.requestBarrier();
    await timers.advance(40_000);
    store.revoke('s');
    const visibleAt = store.clock();
    await timers.advance(50_000);
    log.readMs = 1;
    await timers.advance(20_000);
    expect(follower.memory.at(0).visibleBy).toBeGreaterThanOrEqual(visibleAt);
    await stop();
  });

  it('takes a barrier about once a second when nobody asks, and spaces those that are asked for', async () => {
    const { timers, log, follower, stop } = setUp();
    void follower.start();
    await timers.advance(10 * IDLE_BARRIER_MS);
    expect(log.barriers).toBeGreaterThanOrEqual(10);
    expect(log.barriers).toBeLessThanOrEqual(11);
    for (let i = 0; i < 100; i++) {
      follower.requestBarrier();
      await timers.advance(10);
    }
    expect(log.barriers).toBeGreaterThanOrEqual(25);
    const gaps = log.barrierTimes.slice(1).map((time, i) => time - (log.barrierTimes[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(BARRIER_SPACING_MS);
    await stop();
  });

  it('never overlaps calls to the log, however it is pushed', async () => {
    const { timers, store, log, alarms, follower, stop } = setUp();
    log.readMs = 7;
    log.writeMs = 60;
    void follower.start();
    for (let i = 0; i < 500; i++) {
      store.revoke(`s${i}`);
      log.wake();
      follower.requestBarrier();
      await timers.advance(i % 13);
    }
    await timers.advance(1_000);
    // The log refuses an overlap, which would be an alarm.
    expect(alarms).toEqual([]);
    expect(follower.stats().revocations).toBe(500);
    await stop();
  });

  it('alarms and tries again soon when barriers fail, and has the clock refuse after 5 s', async () => {
    const { timers, log, clock, alarms, follower, stop } = setUp();
    void follower.start();
    await timers.advance(1_000);
    log.failing = true;
    await timers.advance(4_000);
    expect(alarms.at(-1)?.kind).toBe('barrier-failed');
    expect(alarms.at(-1)?.failures).toBe(alarms.length);
    expect(() => clock.now()).not.toThrow();
    await timers.advance(2_100);
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }));
    log.failing = false;
    await timers.advance(600);
    expect(() => clock.now()).not.toThrow();
    expect(clock.barrierAge()).toBeLessThan(600);
    await stop();
  });

  it('tries for ever where the store cannot be reached at the start', async () => {
    const { timers, log, alarms, follower, stop } = setUp();
    log.failing = true;
    let started = false;
    void follower.start().then(() => (started = true));
    await timers.advance(30_000);
    expect(started).toBe(false);
    expect(alarms.length).toBeGreaterThan(50);
    log.failing = false;
    await timers.advance(600);
    expect(started).toBe(true);
    await stop();
  });

  it('does not trust a log whose barriers went back', async () => {
    const { timers, log, alarms, clock, follower, stop } = setUp();
    void follower.start();
    await timers.advance(1_500);
    log.nextN = 1n;
    await timers.advance(6_000);
    expect(String(alarms[0]?.error)).toMatch(/the log went back/);
    expect(() => clock.now()).toThrow(expect.objectContaining({ code: 'ERR_UNAVAILABLE' }));
    await stop();
  });

  it('counts nothing as seen that a listener could not queue', async () => {
    const { timers, store, log, clock, alarms, follower, stop } = setUp();
    let broken = true;
    let answered = 0;
    follower.listen({
      revoked: () => {
        if (broken) throw new Error('not queued');
      },
      barrierAnswered: () => answered++,
    });
    store.revoke('s');
    void follower.start();
    await timers.advance(3_000);
    expect(answered).toBe(0);
    // Introspection trusts the deny-list by this age, so a barrier that was not applied must not count.
    expect(clock.barrierAge()).toBe(Infinity);
    expect(alarms.length).toBeGreaterThan(2);
    broken = false;
    await timers.advance(1_000);
    expect(answered).toBeGreaterThan(0);
    expect(follower.memory.end).toBe(1);
    expect(follower.stats().revocations).toBe(1);
    expect(log.barriers).toBeGreaterThan(2);
    await stop();
  });

  it('goes on reading when a cursor cannot be stored', async () => {
    const { timers, store, log, alarms, follower, stop } = setUp();
    log.rememberCursor = () => Promise.reject(new Error('no room'));
    void follower.start();
    await timers.advance(6_000);
    store.revoke('s');
    await timers.advance(250);
    expect(alarms.map(({ kind }) => kind)).toEqual(['remember-failed']);
    expect(follower.isRevoked(session('s'))).toBe(true);
    await stop();
  });

  it.each([0, 1.2, 700])(
    'leaves no timer, no wake-up and no call behind when stopped after %d ms',
    async (ms) => {
      const { timers, log, follower } = setUp();
      const started = follower.start();
      await timers.advance(ms);
      const stopping = follower.stop();
      await timers.advance(5);
      await stopping;
      await started;
      const { barriers, reads } = log;
      expect(timers.open).toBe(0);
      expect(log.wakers.size).toBe(0);
      await timers.advance(10_000);
      expect([log.barriers, log.reads]).toEqual([barriers, reads]);
    },
  );
});
