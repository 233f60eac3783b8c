import type { Admin, Kafka } from 'kafkajs';
import type { Pin } from './lane.js';

/** Heartbeats of 40 s, or a stretch of records that somebody repeated. */
const READ_IN_FRONT = 200n;
const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 500 };

/** Runs with a connection of its own: fresh metadata, and nothing left behind. */
async function withAdmin<T>(kafka: Kafka, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin({ retry: RETRY });
  try {
    await admin.connect();
    return await ask(admin);
  } finally {
    void admin.disconnect().catch(() => undefined);
  }
}

const max = (one: bigint, other: bigint): bigint => (one > other ? one : other);

/** By lane. @throws RangeError if the topic's partitions are not lanes 0 to n - 1. */
function byLane<T extends { readonly partition: number }>(rows: readonly T[]): readonly T[] {
  const sorted = [...rows].sort((a, b) => a.partition - b.partition);
  if (sorted.length === 0 || sorted.some(({ partition }, lane) => partition !== lane))
    throw new RangeError('partitions are missing from the metadata');
  return sorted;
}

/**
 * Where to begin to read each lane: up to 200 records in front of the window, which begins with the first record of `since` or
 * later. With the older ones read, a hole over the window's edge is noticed too.
 * @param since reference time, milliseconds: the clock of the records' timestamps.
 */
export const pinLanes = (kafka: Kafka, topic: string, since: number): Promise<readonly Pin[]> =>
  withAdmin(kafka, async (admin) => {
    const begin = Math.max(Math.floor(since), 0);
    const starts = byLane(await admin.fetchTopicOffsetsByTimestamp(topic, begin));
    // Asked afterwards: a record that is there now, in front of the window's first, was there when that was looked up.
    const bounds = byLane(await admin.fetchTopicOffsets(topic));
    if (bounds.length !== starts.length) throw new RangeError('the topic is being changed');
    return starts.map(({ offset }, lane) => {
      const window = BigInt(offset);
      const low = BigInt(bounds[lane]!.low);
      // A lane that begins in the window may have been cut off there, and is read from the window on all the same.
      const earliest = window > READ_IN_FRONT ? window - READ_IN_FRONT : 0n;
      return { offset: low >= window ? window : max(low, earliest), window, since: begin };
    });
  });

/** The offset that each lane's next record will get. */
export const laneEnds = (kafka: Kafka, topic: string): Promise<readonly bigint[]> =>
  withAdmin(kafka, async (admin) =>
    byLane(await admin.fetchTopicOffsets(topic)).map(({ high }) => BigInt(high)),
  );
