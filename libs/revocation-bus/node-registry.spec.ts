import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FollowedRecentRevocations } from './followed-recent-revocations.js';
import { NodeRegistry } from './node-registry.js';
import { RenewalDesk } from './renewal-desk.js';
import { FakeRevocationLog, FakeRevocationStore } from './testing/fake-revocation-log.js';
import { Instance, MAX_ACCESS_TTL } from './testing/instance.js';
import { MemoryNodeReports } from './testing/memory-node-reports.js';
import { VirtualTimers } from './testing/virtual-timers.js';
import { WatchingNode } from './testing/watching-node.js';

const NODE = { nodeId: 'n1', tenants: ['default'], via: 'watch', boundMs: 2_000 } as const;

/** One instance with nodes that report to it. */
async function startInstance(timers: VirtualTimers, store: FakeRevocationStore, reports: MemoryNodeReports) {
  const log = new FakeRevocationLog(store);
  const instance = new Instance(log, timers);
  const { follower, hub, clock } = instance;
  const alarms: unknown[] = [];
  const registry = new NodeRegistry({
    memory: follower.memory,
    cursors: log,
    clock,
    timers,
    store: reports,
    windowMs: follower.windowMs,
    onAlarm: (error) => alarms.push(error),
  });
  const desk = new RenewalDesk({ follower, timers });
  const recent = new FollowedRecentRevocations(follower.memory, desk, timers);
  void follower.start();
  await timers.advance(20);
  const stop = async () => {
    const stopped = Promise.all([registry.stop(), instance.stop()]);
    desk.stop();
    await timers.advance(2_000);
    await stopped;
  };
  /** A Watch node of this name; renewals tell which answer it has applied. */
  const watch = (nodeId: string, cursor = '') => {
    const node = new WatchingNode();
    node.connect(hub, { cursor, node: registry.introduce({ ...NODE, nodeId }, cursor) });
    let id = 0;
    const renew = async (applied = node.renewals.at(-1)?.id) => {
      node.renew(String(++id), applied);
      await timers.advance(60);
    };
    return { node, renew };
  };
  const has = async (nodeId: string, sid: string) => {
    const found = recent.find(sid);
    const report = (await registry.all()).find((one) => one.nodeId === nodeId);
    return found && report && registry.shows(report.cursor, found.mark);
  };
  return { log, registry, recent, hub, alarms, watch, has, stop };
}

describe('NodeRegistry', () => {
  let timers: VirtualTimers;
  let store: FakeRevocationStore;
  let reports: MemoryNodeReports;
  let one: Awaited<ReturnType<typeof startInstance>>;
  beforeEach(async () => {
    timers = new VirtualTimers();
    store = new FakeRevocationStore(timers);
    reports = new MemoryNodeReports();
    one = await startInstance(timers, store, reports);
  });
  afterEach(async () => {
    await one.stop();
    expect(timers.open).toBe(0);
  });
  const revoke = async (sid: string) => {
    store.revoke(sid);
    one.log.wake();
    await timers.advance(8);
  };
  const rowsWritten = () => reports.writes.reduce((sum, rows) => sum + rows.length, 0);

  it('knows that a node has applied a revocation once its next renewal names the answer behind it', async () => {
    const { renew } = one.watch('n1');
    await renew();
    await revoke('s1');
    await renew();
    expect(await one.has('n1', 's1')).toBe(false);
    await renew();
    expect(await one.has('n1', 's1')).toBe(true);
  });

  it('takes only answers of this stream, and not those that were never sent', async () => {
    const { renew } = one.watch('n1');
    await renew();
    await revoke('s1');
    await renew('999');
    await renew('0');
    await renew('5');
    expect(await one.has('n1', 's1')).toBe(false);
  });

  it('remembers over a reconnect what the cursor of hello says, and forgets a node that starts anew', async () => {
    const first = one.watch('n1');
    await revoke('s1');
    await first.renew();
    const cursor = first.node.renewals.at(-1)?.cursor;
    first.node.disconnect();
    one.watch('n1', cursor);
    expect(await one.has('n1', 's1')).toBe(true);
    one.watch('n1');
    expect(await one.has('n1', 's1')).toBe(false);
    one.watch('n1', 'of another store');
    expect(await one.has('n1', 's1')).toBe(false);
  });

  it('tells other instances within 250 ms, and hears of theirs', async () => {
    const other = await startInstance(timers, store, reports);
    const { renew } = one.watch('n1');
    await renew();
    await revoke('s1');
    await timers.advance(300);
    await renew();
    await renew();
    expect(await other.has('n1', 's1')).toBe(false);
    await timers.advance(300);
    expect(await other.has('n1', 's1')).toBe(true);
    await other.stop();
  });

  it('writes nothing but signs of life, in one statement, while nothing is revoked', async () => {
    const nodes = Array.from({ length: 50 }, (_, i) => one.watch(`n${i}`));
    await timers.advance(300);
    expect(reports.writes.map(({ length }) => length)).toEqual([50]);
    const began = timers.monotonic();
    while (timers.monotonic() - began < 10_000) {
      for (const { node } of nodes) if (node !== nodes[0]?.node) node.renew(String(timers.monotonic()));
      await nodes[0]!.renew();
      await timers.advance(440);
    }
    expect(rowsWritten()).toBeLessThanOrEqual(50 * 5);
    expect(rowsWritten()).toBeGreaterThanOrEqual(50 * 4);
    expect(reports.writes.length).toBeLessThanOrEqual(10);
  });

  it('writes each node once more for a revocation', async () => {
    const nodes = Array.from({ length: 20 }, (_, i) => one.watch(`n${i}`));
    const renewAll = async () => {
      for (const { node } of nodes) node.renew(`${timers.monotonic()}`, node.renewals.at(-1)?.id);
      await timers.advance(250);
    };
    await renewAll();
    await renewAll();
    const before = rowsWritten();
    await revoke('s1');
    await renewAll();
    await renewAll();
    await timers.advance(250);
    const after = rowsWritten();
    expect(after - before).toBeGreaterThanOrEqual(20);
    expect(after - before).toBeLessThanOrEqual(40);
    await renewAll();
    await renewAll();
    expect(rowsWritten()).toBe(after);
    for (const { cursor } of reports.rows.values())
      expect(one.registry.shows(cursor, one.recent.find('s1')!.mark)).toBe(true);
  });

  it('keeps what could not be written, and says so', async () => {
    reports.failing = true;
    one.watch('n1');
    await timers.advance(600);
    expect(one.alarms.length).toBeGreaterThanOrEqual(2);
    expect(one.registry.stats()).toEqual({ nodes: 1, awaited: 0, failures: one.alarms.length });
    reports.failing = false;
    await timers.advance(250);
    expect(reports.rows.size).toBe(1);
  });

  it('wakes those that wait soon after a report here, and at a steady pace for those elsewhere', async () => {
    const { renew } = one.watch('n1');
    await renew();
    await revoke('s1');
    await renew();
    const calm = one.registry.hurry(one.recent.find('s1')!);
    const woken: number[] = [];
    const began = timers.monotonic();
    const note = () => void woken.push(timers.monotonic() - began);
    void one.registry.news(5_000).then(note);
    void one.registry.news(30).then(note);
    await renew();
    void one.registry.news(5_000).then(note);
    await timers.advance(200);
    calm();
    // Both at the report, and the third a round after it began to wait.
    expect(woken).toEqual([10, 10, 160]);
  });

  it('one look at the store serves all that wait', async () => {
    const all = Array.from({ length: 100 }, () => one.registry.all());
    await Promise.all(all);
    expect(reports.reads).toBe(1);
  });

  it('asks nodes that have yet to apply it to renew soon, as long as somebody waits', async () => {
    const { node, renew } = one.watch('n1');
    await revoke('s1');
    const calm = one.registry.hurry(one.recent.find('s1')!);
    const again = one.registry.hurry(one.recent.find('s1')!);
    await renew();
    expect(node.renewals.at(-1)?.renewAfterMs).toBe(100);
    await renew();
    expect(node.renewals.at(-1)?.renewAfterMs).toBeGreaterThan(400);
    await revoke('s2');
    await renew();
    expect(node.renewals.at(-1)?.renewAfterMs).toBeGreaterThan(400);
    calm();
    calm();
    again();
    expect(one.registry.introduce({ ...NODE, nodeId: 'n2' }).isAwaited).toBe(false);
  });

  it('tells by its own clock for how long a node has been silent here', async () => {
    const { renew } = one.watch('n1');
    await renew();
    store.stepClock(600_000);
    await timers.advance(600);
    expect((await one.registry.all())[0]!.silentForMs).toBe(660);
  });

  it('of two nodes with one name the last one counts; keys of other tenants are other names', async () => {
    one.registry.introduce({ ...NODE, boundMs: 1_000 });
    await timers.advance(1);
    one.registry.introduce({ ...NODE, boundMs: 3_000 });
    one.registry.introduce({ ...NODE, tenants: ['b', 'a'] });
    const named = (await one.registry.all()).map(({ tenants, boundMs }) => [tenants, boundMs]);
    expect(named).toEqual([
      [['default'], 3_000],
      [['a', 'b'], 2_000],
    ]);
  });

  it('prunes what no receipt can show any more', async () => {
    one.watch('n1');
    await timers.advance(300);
    expect(reports.pruned).toHaveLength(1);
    const kept = store.clock() - reports.pruned[0]!;
    expect(kept).toBeGreaterThan(MAX_ACCESS_TTL + 60_000 + 63_000);
    expect(kept).toBeLessThanOrEqual(MAX_ACCESS_TTL + 60_000 + 63_000 + 601_000);
  });

  it('bounds what a key can fill with node ids of its own: the others are one node that has applied nothing', async () => {
    const { renew, node } = one.watch('first');
    const introduce = (nodeId: string, tenants = ['default']) => {
      const cursor = node.renewals.at(-1)?.cursor ?? '';
      return one.registry.introduce({ ...NODE, nodeId, tenants }, cursor);
    };
    await renew();
    for (let i = 0; i < 10_500; i++) introduce(`made-up-${i}`).heard();
    introduce('elsewhere', ['theirs']);
    await revoke('s1');
    await renew();
    await renew();
    introduce('late').heard(node.renewals.at(-1)!.cursor);
    const all = await one.registry.all();
    expect(all.length).toBe(10_002);
    expect(all.filter(({ nodeId }) => nodeId === 'elsewhere')).toHaveLength(1);
    const others = all.find(({ nodeId }) => nodeId.startsWith('others'));
    expect(others).toMatchObject({ tenants: ['default'], boundMs: 0, cursor: '' });
    expect(await one.has('first', 's1')).toBe(true);
    // Silent ones make room.
    await timers.advance(121_000);
    introduce('late');
    await timers.advance(1_000);
    expect((await one.registry.all()).some(({ nodeId }) => nodeId === 'late')).toBe(true);
  });

  it('refuses to wait for news when the instance stops', async () => {
    const waiting = one.registry.news(60_000);
    await one.registry.stop();
    await waiting;
    await expect(one.registry.news(1)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });
});
