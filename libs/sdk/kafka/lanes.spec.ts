import { describe, expect, it } from '@jest/globals';
import type { LaneRecord } from '#contracts';
import { Lanes } from './lanes.js';

const STREAM = { streamId: 's-1', lanes: 2 };
const stored = (offset: bigint) => ({ offset, timestamp: 999 });
const at = (monotonic: number) => ({ monotonic, wall: monotonic });

function heartbeat(barrier: string, sequence: number): LaneRecord {
  return {
    place: { ...STREAM, incarnation: 5, sequence },
    content: {
      kind: 'heartbeat',
      heartbeat: { barrier, cursor: `c${barrier}`, referenceTimeMs: 1, maxAccessTtlMs: 1 },
    },
  };
}

const lanesOf = (count: number): Lanes =>
  new Lanes(
    STREAM,
    Array.from({ length: count }, () => ({ offset: 0n, window: 1n, since: 1000 })),
  );

describe('the lanes of a topic', () => {
  it('renew when every lane has brought the barrier, or a higher one', () => {
    const lanes = lanesOf(2);
    lanes.await(7n, at(100), 0);
    lanes.take(0, stored(0n), heartbeat('9', 1));
    expect(lanes.renewed()).toBeUndefined();
    lanes.take(1, stored(0n), heartbeat('6', 1));
    expect(lanes.renewed()).toBeUndefined();
    lanes.take(1, stored(1n), heartbeat('7', 2));
    expect(lanes.renewed()).toMatchObject({ reading: at(100), heartbeat: { cursor: 'c7' } });
    expect(lanes.renewed()).toBeUndefined();
  });

  it('renew from the last renewal that they have caught up with', () => {
    const lanes = lanesOf(2);
    for (const [barrier, sent] of [
      [3n, 100],
      [5n, 200],
      [9n, 300],
    ] as const)
      lanes.await(barrier, at(sent), 0);
    lanes.take(0, stored(0n), heartbeat('6', 1));
    lanes.take(1, stored(0n), heartbeat('5', 1));
    expect(lanes.renewed()?.reading).toEqual(at(200));
    lanes.take(0, stored(1n), heartbeat('9', 2));
    lanes.take(1, stored(1n), heartbeat('10', 2));
    expect(lanes.renewed()).toMatchObject({ reading: at(300), heartbeat: { cursor: 'c9' } });
  });

  it('compare barriers as numbers, also beyond 2^53', () => {
    const lanes = lanesOf(2);
    lanes.await(2n ** 53n + 1n, at(100), 0);
    lanes.take(0, stored(0n), heartbeat(String(2n ** 53n), 1));
    lanes.take(1, stored(0n), heartbeat(String(2n ** 60n), 1));
    expect(lanes.renewed()).toBeUndefined();
    lanes.take(0, stored(1n), heartbeat(String(2n ** 53n + 1n), 2));
    expect(lanes.renewed()?.reading).toEqual(at(100));
  });

  it('renew nothing while one has a gap', () => {
    const lanes = lanesOf(2);
    lanes.take(0, stored(0n), heartbeat('6', 1));
    lanes.take(1, stored(0n), heartbeat('6', 1));
    lanes.take(1, stored(1n), heartbeat('7', 3));
    lanes.await(5n, at(100), 0);
    expect(lanes.renewed()).toBeUndefined();
  });

  it('renew nothing when they are not as many as the stream has', () => {
    for (const count of [1, 3]) {
      const lanes = lanesOf(count);
      lanes.await(5n, at(100), 0);
      for (let lane = 0; lane < count; lane += 1) lanes.take(lane, stored(0n), heartbeat('6', 1));
      expect(lanes.renewed()).toBeUndefined();
    }
  });

  it('renew nothing by heartbeats from before the log was restored, whose barriers have higher numbers', () => {
    const lanes = lanesOf(2);
    const beat = (lane: number, barrier: string, sequence: number, referenceTimeMs: number): void => {
      const { place } = heartbeat(barrier, sequence);
      const data = { barrier, cursor: '', referenceTimeMs, maxAccessTtlMs: 1 };
      lanes.take(lane, stored(BigInt(sequence - 1)), {
        place,
        content: { kind: 'heartbeat', heartbeat: data },
      });
    };
    beat(0, '5000', 1, 1_000);
    beat(1, '5000', 1, 1_000);
    lanes.await(3001n, at(100), 0, 1_200);
    expect(lanes.renewed()).toBeUndefined();
    beat(0, '3002', 2, 1_300);
    expect(lanes.renewed()).toBeUndefined();
    beat(1, '3002', 2, 1_300);
    expect(lanes.renewed()?.reading).toEqual(at(100));
  });

  it('forget renewals that are too old to be of use', () => {
    const lanes = lanesOf(2);
    lanes.await(1n, at(100), 0);
    lanes.await(9n, at(3000), 1000);
    lanes.take(0, stored(0n), heartbeat('6', 1));
    lanes.take(1, stored(0n), heartbeat('6', 1));
    expect(lanes.renewed()).toBeUndefined();
  });
});
