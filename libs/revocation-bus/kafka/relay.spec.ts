import { describe, expect, it } from '@jest/globals';
import { BarrierReferenceClock } from '../barrier-reference-clock.js';
import { RevocationFollower } from '../revocation-follower.js';
import { FakeBroker } from '../testing/fake-broker.js';
import { FakeRevocationLog, FakeRevocationStore } from '../testing/fake-revocation-log.js';
import { VirtualTimers } from '../testing/virtual-timers.js';
import { Relay, type RelayEnd } from './relay.js';

const TERM = { streamId: 'stream', lanes: 2, incarnation: 7 };

function start(nextOffsets: readonly bigint[] = [], maxAccessTtl = 900_000) {
  const timers = new VirtualTimers();
  const store = new FakeRevocationStore(timers);
  const log = new FakeRevocationLog(store);
  const broker = new FakeBroker(timers);
  const clock = new BarrierReferenceClock(timers);
  const follower = new RevocationFollower({ log, clock, timers, maxAccessTtl });
  const relay = new Relay({
    follower,
    timers,
    term: TERM,
    nextOffsets,
    open: broker.open,
    maxAccessTtl,
    heartbeatEveryMs: 200,
    source: '/spec',
    giveUpAfterMs: Infinity,
  });
  let end: RelayEnd | undefined;
  void follower.start();
  const running = relay.run().then((why) => (end = why));
  const revoke = (sid: string) => {
    store.revoke(sid);
    log.wake();
  };
  const stop = async () => {
    relay.stop();
    const stopped = follower.stop();
    await timers.advance(6_000);
    await Promise.all([running, stopped]);
  };
  const records = () => broker.lanes.flat();
  const heard = () =>
    records().flatMap(({ content }) =>
      content.kind === 'revocation' ? [content.published.revocationId] : [],
    );
  return { timers, store, broker, relay, revoke, stop, records, heard, ended: () => end };
}

describe('Relay', () => {
  it('publishes a revocation at once, and heartbeats on every lane every 200 ms', async () => {
    const { timers, broker, relay, revoke, heard, stop } = start();
    await timers.advance(1_000);
    revoke('a');
    await timers.advance(8);
    expect(heard()).toEqual(['a']);
    await timers.advance(1_000);
    for (const lane of broker.lanes)
      expect(lane.filter(({ content }) => content.kind === 'heartbeat').length).toBeGreaterThanOrEqual(9);
    expect(relay.stats()).toMatchObject({ revocations: 1, failures: 0, behind: 0 });
    await stop();
  });

  it('asks for no barriers while the broker is away, and publishes all afterwards', async () => {
    const { timers, broker, relay, revoke, heard, stop } = start();
    await timers.advance(1_000);
    broker.reachable = false;
    for (let i = 0; i < 1_200; i++) revoke(`s${i}`);
    await timers.advance(20_000);
    expect(relay.stats()).toMatchObject({ behind: 1_200 });
    broker.reachable = true;
    await timers.advance(1_500);
    expect(new Set(heard()).size).toBe(1_200);
    expect(relay.stats()).toMatchObject({ behind: 0, revocations: 1_200 });
    await stop();
  });

  it('ends when the topic was made anew: its offsets went back', async () => {
    const { timers, broker, ended, stop } = start();
    await timers.advance(1_000);
    broker.makeAnew();
    await timers.advance(500);
    expect(ended()).toBe('topic-anew');
    await stop();
  });

  it('ends when the topic was made anew, though others have filled it with older records since', async () => {
    const { timers, broker, ended, stop } = start();
    await timers.advance(1_000);
    broker.makeAnew();
    broker.occupy(100);
    await timers.advance(6_000);
    expect(ended()).toBe('topic-anew');
    await stop();
  });

  it.each([3, 1])('ends when the topic has %i lanes instead of 2', async (lanes) => {
    const { timers, broker, ended, stop } = start();
    await timers.advance(1_000);
    broker.lanes = Array.from({ length: lanes }, (_, lane) => broker.lanes[lane] ?? []);
    await timers.advance(6_000);
    expect(ended()).toBe('topic-anew');
    await stop();
  });

  it('ends when records are gone that nodes need which begin now, also its own first ones', async () => {
    const { timers, broker, ended, stop } = start();
    await timers.advance(6_000);
    expect(ended()).toBeUndefined();
    broker.truncate();
    await timers.advance(6_000);
    expect(ended()).toBe('truncated');
    await stop();
  });

  it('stays where the topic was cut off in front of what it wrote', async () => {
    const { timers, broker, relay, ended, stop } = start();
    broker.occupy(10);
    broker.truncate();
    await timers.advance(12_000);
    expect([ended(), relay.stats().failures]).toEqual([undefined, 0]);
    await stop();
  });

  it('ends at once on a topic that is shorter than the one that it is to go on with', async () => {
    const { timers, ended, records, stop } = start([100n, 100n]);
    await timers.advance(500);
    expect(ended()).toBe('topic-anew');
    expect(records()).toEqual([]);
    await stop();
  });

  it('ends when its place has left the memory', async () => {
    const { timers, broker, revoke, ended, stop } = start([], 1_000);
    await timers.advance(1_000);
    broker.reachable = false;
    for (let i = 0; i < 600; i++) revoke(`s${i}`);
    await timers.advance(70_000);
    revoke('later');
    broker.reachable = true;
    await timers.advance(5_000);
    expect(ended()).toBe('fell-behind');
    await stop();
  });

  it('has no checkpoint before a heartbeat was acknowledged', async () => {
    const { timers, broker, relay, stop } = start();
    broker.reachable = false;
    await timers.advance(3_000);
    expect(relay.checkpoint).toBeUndefined();
    broker.reachable = true;
    await timers.advance(2_000);
    expect(relay.checkpoint?.nextOffsets).toEqual(broker.lanes.map(({ length }) => BigInt(length)));
    await stop();
  });

  it('gives each record the reference time, which never goes back in a lane', async () => {
    const { timers, store, broker, revoke, stop } = start();
    await timers.advance(1_000);
    store.stepClock(-60_000);
    for (let i = 0; i < 20; i++) {
      revoke(`s${i}`);
      await timers.advance(50);
    }
    const times = broker.lanes.map((lane) =>
      lane.flatMap(({ content }) =>
        content.kind === 'heartbeat' ? [content.heartbeat.referenceTimeMs] : [],
      ),
    );
    for (const lane of times) expect(lane).toEqual([...lane].sort((a, b) => a - b));
    await stop();
  });
});
