import type { Admin, Kafka } from 'kafkajs';
import type { Pin } from './lane.js';

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

/** By lane. @throws RangeError if the topic's partitions are not lanes 0 to n - 1. */
function byLane<T extends { readonly partition: number }>(rows: readonly T[]): readonly T[] {
  const sorted = [...rows].sort((a, b) => a.partition - b.partition);
  if (sorted.length === 0 || sorted.some(({ partition }, lane) => partition !== lane))
    throw new RangeError('partitions are missing from the metadata');
  return sorted;
}

/**
 * Where to begin to read each lane: one record in front of the window, which begins with the first record of `since` or later.
 * With the older one read, a hole at the window's edge is noticed too.
 * @param since reference time, milliseconds: the clock of the records' timestamps.
 */
export const pinLanes = (kafka: Kafka, topic: string, since: number): Promise<readonly Pin[]> =>
  withAdmin(kafka, async (admin) => {
    const starts = byLane(await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(Math.floor(since), 0)));
    // Asked afterwards: a record that is there now, in front of the window's first, was there when that was looked up.
    const bounds = byLane(await admin.fetchTopicOffsets(topic));
    if (bounds.length !== starts.length) throw new RangeError('the topic is being changed');
    return starts.map(({ offset }, lane) => {
      const first = BigInt(offset);
      const whole = BigInt(bounds[lane]!.low) < first;
      return { offset: whole ? first - 1n : first, whole };
    });
  });

/** The offset that each lane's next record will get. */
export const laneEnds = (kafka: Kafka, topic: string): Promise<readonly bigint[]> =>
  withAdmin(kafka, async (admin) =>
    byLane(await admin.fetchTopicOffsets(topic)).map(({ high }) => BigInt(high)),
  );
