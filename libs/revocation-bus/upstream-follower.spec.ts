import { describe, expect, it } from '@jest/globals';
import { MemoryCursors } from './memory-cursors.js';
import { FakeRevocationLog, FakeRevocationStore } from './testing/fake-revocation-log.js';
import { Instance, MAX_ACCESS_TTL } from './testing/instance.js';
import { UpstreamLink } from './testing/upstream-link.js';
import { VirtualTimers } from './testing/virtual-timers.js';
import { WatchingNode } from './testing/watching-node.js';
import { UpstreamFollower, type UpstreamEnd } from './upstream-follower.js';
import { WatchHub } from './watch-hub.js';

function relayOver(timers: VirtualTimers, upstream: WatchHub) {
  const link = new UpstreamLink(timers, upstream);
  const ends: UpstreamEnd[] = [];
  const follower = new UpstreamFollower({
    open: link.open,
    timers,
    bound: 2_000,
    onEnd: (end) => ends.push(end),
  });
  const hub = new WatchHub({ follower, log: new MemoryCursors(follower), timers, maxAccessTtl: 0 });
  return { link, ends, follower, hub };
}

async function startCascade() {
  const timers = new VirtualTimers();
  const store = new FakeRevocationStore(timers);
  const log = new FakeRevocationLog(store);
  const instance = new Instance(log, timers);
  void instance.follower.start();
  await timers.advance(20);
  const upper = relayOver(timers, instance.hub);
  const lower = relayOver(timers, upper.hub);
  void upper.follower.start();
  void lower.follower.start();
  await timers.advance(300);
  const revoke = (sid: string): void => {
    store.revoke(sid);
    log.wake();
  };
  const stop = async () => {
    for (const { follower, hub } of [lower, upper]) {
      hub.stop();
      follower.stop();
    }
    const stopped = instance.stop();
    await timers.advance(2_000);
    await stopped;
    expect(timers.open).toBe(0);
  };
  return { timers, store, log, instance, upper, lower, revoke, stop };
}

describe('UpstreamFollower', () => {
  it('passes a revocation on at once, also while a renewal of its own is under way', async () => {
    const { timers, upper, lower, revoke, stop } = await startCascade();
    upper.link.delayMs = 40;
    await timers.advance(300);
    const node = new WatchingNode().connect(lower.hub);
    node.renew('1');
    await timers.advance(10);
    revoke('s');
    await timers.advance(50);
    expect(node.heard).toEqual(['s']);
    await timers.advance(200);
    expect(node.heard).toEqual(['s', 'renewed 1']);
    await stop();
  });

  it('G2: answers behind every revocation that had been committed when the lower renewal arrived', async () => {
    const { timers, store, lower, stop } = await startCascade();
    const node = new WatchingNode().connect(lower.hub);
    await timers.advance(500);
    for (const sid of ['a', 'b']) store.revoke(sid);
    node.renew('7');
    await timers.advance(300);
    expect(node.heard).toEqual(['a', 'b', 'renewed 7']);
    expect(node.renewals[0]).toMatchObject({ ageMs: 0, maxAccessTtlMs: MAX_ACCESS_TTL });
    await stop();
  });

  it('G2: a lower renewal that arrives while one upstream is under way waits for the next', async () => {
    const { timers, store, upper, stop } = await startCascade();
    upper.link.delayMs = 30;
    const [first, second] = [new WatchingNode().connect(upper.hub), new WatchingNode().connect(upper.hub)];
    await timers.advance(1_000);
    first.renew('1');
    await timers.advance(45);
    // The upstream's barrier may have been read by now.
    store.revoke('s');
    second.renew('2');
    await timers.advance(30);
    expect(second.renewals).toEqual([]);
    await timers.advance(200);
    expect(second.heard).toEqual(['s', 'renewed 2']);
    await stop();
  });

  it('G2: ages add up over two levels', async () => {
    const { timers, upper, lower, stop } = await startCascade();
    upper.link.agedMs = 300;
    lower.link.agedMs = 50;
    const node = new WatchingNode().connect(lower.hub);
    await timers.advance(2_000);
    node.renew('1');
    await timers.advance(300);
    expect(node.renewals[0]?.ageMs).toBe(350);
    expect(lower.follower.age()).toBeGreaterThanOrEqual(350);
    await stop();
  });

  it('G2: a stream that breaks answers nobody; the next one answers all who wait, behind what they missed', async () => {
    const { timers, store, upper, lower, stop } = await startCascade();
    const node = new WatchingNode().connect(lower.hub);
    await timers.advance(500);
    upper.link.delayMs = 50;
    node.renew('1');
    await timers.advance(30);
    upper.link.cut();
    store.revoke('missed');
    await timers.advance(20);
    expect(node.heard).toEqual([]);
    await timers.advance(500);
    expect(node.heard).toEqual(['missed', 'renewed 1']);
    expect(upper.link.opened).toBe(2);
    expect(upper.link.cursors[1]).not.toBe('');
    await stop();
  });

  it('G2: after a new greeting nobody is answered by the old stream', async () => {
    const { timers, upper, stop } = await startCascade();
    const node = new WatchingNode().connect(upper.hub);
    await timers.advance(1_000);
    upper.link.delayMs = 20;
    node.renew('1');
    await timers.advance(5);
    const greeted = upper.link.opened;
    upper.follower.reconnect();
    expect(upper.link.opened).toBe(greeted + 1);
    await timers.advance(38);
    expect(node.renewals).toEqual([]);
    await timers.advance(100);
    expect(node.renewals.map(({ id }) => id)).toEqual(['1']);
    await stop();
  });

  it('leaves an upstream that does not answer, and goes on at the next', async () => {
    const { timers, upper, instance, stop } = await startCascade();
    const silent = new WatchHub({
      follower: {
        memory: instance.follower.memory,
        listen: () => () => undefined,
        requestBarrier: () => undefined,
      },
      log: { isCursor: () => false, shows: () => false },
      timers,
      maxAccessTtl: MAX_ACCESS_TTL,
    });
    upper.link.cut(silent);
    const node = new WatchingNode().connect(upper.hub);
    node.renew('1');
    await timers.advance(900);
    expect(node.heard).toEqual([]);
    upper.link.cut(instance.hub);
    await timers.advance(1_500);
    expect(node.heard).toEqual(['renewed 1']);
    expect(upper.follower.age()).toBeLessThan(1_000);
    silent.stop();
    await stop();
  });

  it('does not send twice what an upstream without the cursor replays', async () => {
    const { timers, upper, lower, revoke, stop } = await startCascade();
    const node = new WatchingNode().connect(lower.hub);
    for (const sid of ['a', 'b']) revoke(sid);
    await timers.advance(600);
    const other = relayOver(timers, upper.hub);
    void other.follower.start();
    await timers.advance(300);
    lower.link.cut(other.hub);
    revoke('c');
    await timers.advance(800);
    expect(node.heard).toEqual(['a', 'b', 'c']);
    expect(lower.follower.memory.end).toBe(3);
    other.hub.stop();
    other.follower.stop();
    await stop();
  });

  it('resumes a node with a cursor that it passed on, and replays everything for any other', async () => {
    const { timers, lower, revoke, stop } = await startCascade();
    const node = new WatchingNode().connect(lower.hub);
    revoke('before');
    await timers.advance(300);
    node.renew('1');
    await timers.advance(300);
    const cursor = node.renewals[0]?.cursor;
    revoke('after');
    await timers.advance(300);
    expect(new WatchingNode().connect(lower.hub, { cursor }).heard).toEqual(['after']);
    expect(new WatchingNode().connect(lower.hub, { cursor: '999:' }).heard).toEqual(['before', 'after']);
    await stop();
  });

  it('gives an instance a cursor that the instance can read', async () => {
    const { timers, instance, lower, revoke, stop } = await startCascade();
    const node = new WatchingNode().connect(lower.hub);
    revoke('before');
    await timers.advance(300);
    node.renew('1');
    await timers.advance(300);
    revoke('after');
    await timers.advance(300);
    const resumed = new WatchingNode().connect(instance.hub, { cursor: node.renewals[0]?.cursor });
    expect(resumed.heard).toEqual(['after']);
    await stop();
  });

  it('forgets a revocation on reference time, when no token can be alive that it concerns', async () => {
    const { timers, lower, revoke, stop } = await startCascade();
    revoke('s');
    await timers.advance(MAX_ACCESS_TTL + 50_000);
    expect(lower.follower.stats().remembered).toBe(1);
    await timers.advance(20_000);
    expect(lower.follower.stats().remembered).toBe(0);
    await stop();
  });

  it('G2: a revocation that it cannot pass on ends the stream: no answer comes behind it', async () => {
    const { timers, upper, revoke, stop } = await startCascade();
    let broken = true;
    upper.follower.listen({
      revoked: () => {
        if (broken) throw new Error('not queued');
      },
    });
    const node = new WatchingNode().connect(upper.hub);
    revoke('s');
    node.renew('1');
    await timers.advance(3_000);
    expect(node.renewals).toEqual([]);
    expect(upper.ends.at(-1)?.detail).toBe('not queued');
    broken = false;
    await timers.advance(1_500);
    expect(node.heard).toEqual(['s', 'renewed 1']);
    await stop();
  });
});
