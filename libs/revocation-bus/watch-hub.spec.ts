import { describe, expect, it } from '@jest/globals';
import { FakeRevocationLog, FakeRevocationStore } from './testing/fake-revocation-log.js';
import { Instance, MAX_ACCESS_TTL } from './testing/instance.js';
import { VirtualTimers } from './testing/virtual-timers.js';
import { WatchingNode } from './testing/watching-node.js';

async function startInstance(timers = new VirtualTimers(), store = new FakeRevocationStore(timers)) {
  const log = new FakeRevocationLog(store);
  const instance = new Instance(log, timers);
  const { hub, follower, clock } = instance;
  void follower.start();
  await timers.advance(20);
  /** A revocation that is with every subscriber when this resolves. */
  const revoke = async (sid: string, tenant?: string) => {
    store.revoke(sid, tenant);
    log.wake();
    await timers.advance(8);
  };
  const stop = async () => {
    const stopped = instance.stop();
    await timers.advance(2_000);
    await stopped;
  };
  return { timers, store, log, instance, hub, follower, clock, revoke, stop };
}

describe('WatchHub: what a subscriber gets', () => {
  it('replays what is in memory, then goes on live, without a gap', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    const nodes: WatchingNode[] = [];
    for (let i = 0; i < 60; i++) {
      store.revoke(`s${i}`);
      log.wake();
      await timers.advance(i % 4);
      nodes.push(new WatchingNode().connect(hub));
    }
    await timers.advance(300);
    const all = Array.from({ length: 60 }, (_, i) => `s${i}`);
    for (const node of nodes) expect(node.heard).toEqual(all);
    await stop();
  });

  it('replays nothing that the cursor shows, and all that it does not: also an old transaction’s late commit', async () => {
    const { timers, store, hub, revoke, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    const late = store.begin('late');
    await revoke('before');
    node.renew('1');
    await timers.advance(100);
    const cursor = node.renewals[0]?.cursor;
    late.commit();
    await revoke('after');
    const resumed = new WatchingNode().connect(hub, { cursor });
    expect(resumed.heard.sort()).toEqual(['after', 'late']);
    await stop();
  });

  it('takes the cursor of another instance', async () => {
    const one = await startInstance();
    const other = await startInstance(one.timers, one.store);
    const node = new WatchingNode().connect(one.hub);
    await one.revoke('before');
    node.renew('1');
    await one.timers.advance(300);
    const cursor = node.renewals[0]?.cursor;
    await other.revoke('after');
    expect(new WatchingNode().connect(other.hub, { cursor }).heard).toEqual(['after']);
    await one.stop();
    await other.stop();
  });

  it('sends every live revocation, whatever the cursor claims: ids of lost transactions are given out again', async () => {
    const { hub, revoke, stop } = await startInstance();
    const node = new WatchingNode().connect(hub, { cursor: '999:' });
    await revoke('a');
    expect(node.heard).toEqual(['a']);
    await stop();
  });

  it.each([[undefined], [''], ['not a cursor']])('replays everything for the cursor %j', async (cursor) => {
    const { hub, revoke, stop } = await startInstance();
    await revoke('a');
    expect(new WatchingNode().connect(hub, { cursor }).heard).toEqual(['a']);
    await stop();
  });

  it('G10: sends a tenant’s revocations to its own subscribers only, replayed or live', async () => {
    const { hub, revoke, stop } = await startInstance();
    await revoke('a1', 'a');
    await revoke('b1', 'b');
    const connect = (...tenants: string[]) => new WatchingNode().connect(hub, { tenants });
    const [a, both, all, none] = [connect('a'), connect('a', 'b'), connect('*'), connect()];
    await revoke('b2', 'b');
    await revoke('a2', 'a');
    expect(a.heard).toEqual(['a1', 'a2']);
    expect(both.heard).toEqual(['a1', 'b1', 'b2', 'a2']);
    expect(all.heard).toEqual(['a1', 'b1', 'b2', 'a2']);
    expect(none.heard).toEqual([]);
    await stop();
  });

  it('G2: sends a mass revocation to whom it concerns: a global one to all', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    const connect = (...tenants: string[]) => new WatchingNode().connect(hub, { tenants });
    const nodes = [connect('a'), connect('b'), connect()];
    store.revokeScope({ kind: 'user', tenant: 'a', sub: 'u' }, 1);
    store.revokeScope({ kind: 'client', tenant: 'b', client: 'c' }, 2);
    store.revokeScope({ kind: 'tenant', tenant: 'a' }, 3);
    store.revokeScope({ kind: 'global' }, 4);
    log.wake();
    await timers.advance(8);
    nodes.push(connect('a'), connect('b'), connect());
    const expected = [['user 1', 'tenant 3', 'global 4'], ['client 2', 'global 4'], ['global 4']];
    expect(nodes.map(({ heard }) => heard)).toEqual([...expected, ...expected]);
    await stop();
  });

  it('replays every mass revocation of a scope that a cursor does not show', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    const revokeUser = async (epoch: number) => {
      store.revokeScope({ kind: 'user', tenant: 'a', sub: 'u' }, epoch);
      log.wake();
      await timers.advance(8);
    };
    await revokeUser(1);
    node.renew('1');
    await timers.advance(100);
    await revokeUser(2);
    await revokeUser(3);
    const resumed = new WatchingNode().connect(hub, { cursor: node.renewals[0]?.cursor });
    expect(resumed.heard).toEqual(['user 2', 'user 3']);
    await stop();
  });

  it('sends one and the same object to all, so that it is serialized once', async () => {
    const { hub, revoke, stop } = await startInstance();
    const live = new WatchingNode().connect(hub);
    await revoke('a');
    const replayed = new WatchingNode().connect(hub);
    expect(replayed.messages[0]).toBe(live.messages[0]);
    await stop();
  });

  it('sends nothing after the subscription was closed', async () => {
    const { timers, hub, revoke, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    node.renew('1');
    node.disconnect();
    await revoke('a');
    node.renew('2');
    await timers.advance(2_000);
    expect(node.messages).toEqual([]);
    expect(node.cuts).toEqual([]);
    expect(hub.stats().subscribers).toBe(0);
    await stop();
  });
});

describe('WatchHub: renewals', () => {
  it('G2: answers behind every revocation that had been committed when the barrier began', async () => {
    const { timers, store, hub, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    await timers.advance(60);
    // No wake-up: only the barrier's own read can show them.
    store.revoke('a');
    store.revoke('b');
    node.renew('7');
    await timers.advance(10);
    expect(node.heard).toEqual(['a', 'b', 'renewed 7']);
    await stop();
  });

  it('says what the node needs', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    node.renew('1');
    await timers.advance(100);
    const [renewed] = node.renewals;
    expect(renewed).toMatchObject({ id: '1', maxAccessTtlMs: MAX_ACCESS_TTL, ageMs: 0 });
    expect(log.isCursor(renewed?.cursor ?? '')).toBe(true);
    expect(renewed?.referenceTimeMs).toBeLessThanOrEqual(store.clock());
    expect(renewed?.referenceTimeMs).toBeGreaterThan(store.clock() - 100);
    await stop();
  });

  it('G2: a renewal that arrives while a barrier is under way waits for the next one', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    log.writeMs = 20;
    log.readMs = 20;
    const [first, second] = [new WatchingNode().connect(hub), new WatchingNode().connect(hub)];
    await timers.advance(100);
    first.renew('1');
    // The read of the first barrier has taken its snapshot: it cannot show what follows.
    await timers.advance(32);
    expect(first.heard).toEqual([]);
    store.revoke('s');
    second.renew('2');
    await timers.advance(10);
    expect(first.heard).toEqual(['renewed 1']);
    expect(second.heard).toEqual([]);
    await timers.advance(60);
    expect(second.heard).toEqual(['s', 'renewed 2']);
    await stop();
  });

  it('answers 1,000 nodes with one barrier per 50 ms', async () => {
    const { timers, log, hub, stop } = await startInstance();
    const nodes = Array.from({ length: 1_000 }, () => new WatchingNode().connect(hub));
    const before = log.barriers;
    for (let ms = 0; ms < 1_000; ms += 10) {
      nodes.slice(2 * (ms % 500), 2 * (ms % 500) + 20).forEach((node) => node.renew(String(ms)));
      await timers.advance(10);
    }
    await timers.advance(60);
    const barriers = log.barriers - before;
    expect(barriers).toBeGreaterThanOrEqual(15);
    expect(barriers).toBeLessThanOrEqual(22);
    expect(hub.stats()).toMatchObject({ renewals: 2_000, answered: 2_000 });
    for (const node of nodes) expect(node.renewals.length).toBe(2);
    const gaps = log.barrierTimes.slice(1).map((time, i) => time - (log.barrierTimes[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
    await stop();
  });

  it('G2: a failed barrier answers nobody; who waits is answered by the next, the newest id only', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    log.failing = true;
    node.renew('1');
    await timers.advance(1_500);
    node.renew('2');
    await timers.advance(1_500);
    expect(node.heard).toEqual([]);
    store.revoke('s');
    log.failing = false;
    await timers.advance(600);
    expect(node.heard).toEqual(['s', 'renewed 2']);
    await stop();
  });

  it('spreads the fleet around 500 ms, each node with a period of its own', async () => {
    const { timers, hub, stop } = await startInstance();
    const nodes = Array.from({ length: 100 }, () => new WatchingNode().connect(hub));
    for (const id of ['1', '2']) {
      nodes.forEach((node) => node.renew(id));
      await timers.advance(100);
    }
    const periods = nodes.map((node) => node.renewals.map(({ renewAfterMs }) => renewAfterMs));
    for (const [first, second] of periods) expect(second).toBe(first);
    const all = periods.flat();
    expect(Math.min(...all)).toBeGreaterThanOrEqual(450);
    expect(Math.max(...all)).toBeLessThanOrEqual(550);
    expect(new Set(all).size).toBeGreaterThan(50);
    await stop();
  });
});

describe('WatchHub: slow subscribers', () => {
  it('waits for a transport that is full, keeps the order, and answers behind', async () => {
    const { timers, hub, revoke, stop } = await startInstance();
    const node = new WatchingNode();
    node.room = 1;
    node.connect(hub);
    for (const sid of ['a', 'b', 'c']) await revoke(sid);
    node.renew('1');
    await timers.advance(100);
    expect(node.heard).toEqual(['a']);
    node.drain(2);
    expect(node.heard).toEqual(['a', 'b', 'c']);
    node.drain();
    expect(node.heard).toEqual(['a', 'b', 'c', 'renewed 1']);
    await stop();
  });

  it('gives a slow node an answer in turn, however often it renews', async () => {
    const { timers, hub, revoke, stop } = await startInstance();
    const node = new WatchingNode();
    node.room = 1;
    node.connect(hub);
    for (let i = 0; i < 40; i++) {
      await revoke(`s${i}`);
      node.renew(String(i));
      await timers.advance(60);
      node.drain(1);
    }
    expect(node.renewals.length).toBeGreaterThan(10);
    await stop();
  });

  it('cuts one that does not drain, with the reason, and delays no other', async () => {
    const { timers, hub, revoke, stop } = await startInstance();
    const [stuck, quick] = [new WatchingNode(), new WatchingNode().connect(hub)];
    stuck.room = 1;
    stuck.connect(hub);
    for (let second = 0; second < 4; second++) {
      await revoke(`s${second}`);
      expect(quick.heard).toContain(`s${second}`);
      await timers.advance(1_000);
    }
    expect(stuck.cuts).toEqual([]);
    expect(hub.stats()).toMatchObject({ subscribers: 2, blocked: 1, maxBehind: 3 });
    await timers.advance(3_000);
    expect(stuck.cuts).toEqual(['slow']);
    expect(stuck.heard).toEqual(['s0']);
    expect(hub.stats()).toMatchObject({ subscribers: 1, cut: { slow: 1 } });
    await stop();
  });

  it('cuts one that does not drain and is too far behind at once', async () => {
    const { timers, store, log, hub, stop } = await startInstance();
    const stuck = new WatchingNode();
    stuck.room = 1;
    stuck.connect(hub);
    for (let i = 0; i < 10_003; i++) store.revoke(`s${i}`);
    log.wake();
    await timers.advance(1_200);
    expect(stuck.cuts).toEqual(['slow']);
    await stop();
  });

  it('sends a long replay in turns, to slow and quick transports, while live revocations go to the others', async () => {
    const { timers, store, log, hub, revoke, stop } = await startInstance();
    const count = 20_000;
    for (let i = 0; i < count; i++) store.revoke(`s${i}`);
    log.wake();
    await timers.advance(10);
    const live = new WatchingNode().connect(hub);
    await timers.advance(200);
    expect(live.messages.length).toBe(count);

    const quick = new WatchingNode().connect(hub);
    const slow = new WatchingNode();
    slow.room = 16;
    slow.connect(hub);
    quick.renew('1');
    slow.renew('1');
    const firstTurn = quick.messages.length;
    expect(firstTurn).toBeLessThan(1_000);
    hub.revoked();
    expect(quick.messages.length).toBe(firstTurn);
    await revoke('live');
    expect(live.heard.at(-1)).toBe('live');
    while (slow.messages.length < count + 2) {
      slow.drain(16);
      await timers.advance(1);
    }
    for (const node of [quick, slow]) {
      expect(node.cuts).toEqual([]);
      const expected = [...Array.from({ length: count }, (_, i) => `s${i}`), 'live'];
      expect(node.heard.filter((message) => message !== 'renewed 1')).toEqual(expected);
      expect(node.heard.indexOf('renewed 1')).toBeGreaterThanOrEqual(count);
    }
    await stop();
  });

  it('cuts one whose transport throws, and serves the others', async () => {
    const { hub, revoke, stop } = await startInstance();
    const broken = new WatchingNode();
    broken.onMessage = () => {
      throw new Error('broken pipe');
    };
    broken.connect(hub);
    const sound = new WatchingNode().connect(hub);
    await revoke('a');
    await revoke('b');
    expect(broken.cuts).toEqual(['send-failed']);
    expect(broken.heard).toEqual(['a']);
    expect(sound.heard).toEqual(['a', 'b']);
    await stop();
  });

  it('keeps the order for a transport that drains from within send', async () => {
    const { hub, revoke, stop } = await startInstance();
    for (const sid of ['a', 'b', 'c']) await revoke(sid);
    const node = new WatchingNode();
    node.onMessage = () => {
      node.drain();
    };
    node.connect(hub);
    await revoke('d');
    expect(node.heard).toEqual(['a', 'b', 'c', 'd']);
    await stop();
  });
});

describe('WatchHub: stop and figures', () => {
  it('cuts every stream at its stop, takes no new one, and leaves no timer', async () => {
    const { timers, store, log, instance, hub } = await startInstance();
    for (let i = 0; i < 2_000; i++) store.revoke(`s${i}`);
    log.wake();
    await timers.advance(10);
    // In the middle of its replay.
    const node = new WatchingNode().connect(hub);
    await instance.stop();
    expect(node.cuts).toEqual(['stopping']);
    const late = new WatchingNode().connect(hub);
    expect(late.cuts).toEqual(['stopping']);
    expect(late.messages).toEqual([]);
    expect(timers.open).toBe(0);
  });

  it('counts', async () => {
    const { timers, hub, follower, clock, revoke, stop } = await startInstance();
    const node = new WatchingNode().connect(hub);
    node.renew('1');
    await revoke('a');
    await timers.advance(2_000);
    expect(follower.stats()).toMatchObject({ revocations: 1, remembered: 1, failures: 0 });
    expect(follower.stats().barriers).toBeGreaterThanOrEqual(2);
    expect(clock.barrierAge()).toBeLessThan(1_100);
    expect(hub.stats()).toEqual({
      subscribers: 1,
      blocked: 0,
      maxBehind: 0,
      subscribed: 1,
      renewals: 1,
      answered: 1,
      cut: { slow: 0, 'send-failed': 0, stopping: 0 },
    });
    await stop();
  });
});
