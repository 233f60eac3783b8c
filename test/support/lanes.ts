import { Kafka, logLevel, type Admin, type Consumer } from 'kafkajs';
import { decodeLaneRecord, type LaneRecord } from '#contracts';
import { randomBytes } from 'node:crypto';

interface ReadRecord extends LaneRecord {
  readonly lane: number;
  readonly offset: number;
  /** When it arrived here: `performance.now()`. */
  readonly at: number;
  readonly timestamp: number;
}

export const kafkaClient = (brokers: readonly string[]): Kafka =>
  new Kafka({
    clientId: 'curfew-test',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 10 },
  });

export const topicName = (what: string): string => `test.${what}.${randomBytes(4).toString('hex')}`;

export async function makeTopic(brokers: readonly string[], topic: string, lanes = 4): Promise<void> {
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: lanes, replicationFactor: 1 }] });
  await admin.disconnect();
}

export async function deleteTopic(brokers: readonly string[], topic: string): Promise<void> {
  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

/** Removes every record that is there; offsets go on. */
export async function truncateTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await deleteRecords(admin, topic);
  await admin.disconnect();
}

/** All that is on the topic; offsets go on. */
export async function deleteRecords(admin: Admin, topic: string): Promise<void> {
  const ends = await admin.fetchTopicOffsets(topic);
  const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic, partitions });
}

/** Reads a topic of revocations from its beginning, and keeps all. */
export class LaneReader {
  readonly records: ReadRecord[] = [];

  private constructor(private readonly consumer: Consumer) {}

  static async open(brokers: readonly string[], topic: string): Promise<LaneReader> {
    const consumer = kafkaClient(brokers).consumer({
      groupId: `test-${randomBytes(6).toString('hex')}`,
      maxWaitTimeInMs: 200,
    });
    const reader = new LaneReader(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }) => {
        const record = decodeLaneRecord(message.headers ?? {}, message.value);
        const { offset, timestamp } = message;
        const read = { offset: Number(offset), timestamp: Number(timestamp) };
        reader.records.push({ ...record, ...read, lane: partition, at: performance.now() });
        return Promise.resolve();
      },
    });
    return reader;
  }

  /** The arrivals of one revocation. */
  of(revocationId: string): ReadRecord[] {
    return this.records.filter(
      ({ content }) => content.kind === 'revocation' && content.published.revocationId === revocationId,
    );
  }

  /** The newest barrier of each lane, under the incarnation. */
  barriers(incarnation: number, lanes: number): bigint[] {
    return Array.from({ length: lanes }, (_, lane) =>
      this.records.reduce(
        (newest, record) =>
          record.lane === lane &&
          record.place.incarnation === incarnation &&
          record.content.kind === 'heartbeat' &&
          BigInt(record.content.heartbeat.barrier) > newest
            ? BigInt(record.content.heartbeat.barrier)
            : newest,
        0n,
      ),
    );
  }

  get incarnations(): number[] {
    return [...new Set(this.records.map(({ place }) => place.incarnation))];
  }

  /** What is wrong with the sequences of an incarnation: nothing is missing and nothing out of order, but duplicates may be. */
  gaps(incarnation: number): string[] {
    const last = new Map<number, number>();
    const wrong: string[] = [];
    for (const { lane, offset, place } of this.records) {
      if (place.incarnation !== incarnation) continue;
      const before = last.get(lane) ?? 0;
      if (place.sequence > before + 1)
        wrong.push(`lane ${lane}, offset ${offset}: ${place.sequence} after ${before}`);
      last.set(lane, Math.max(before, place.sequence));
    }
    return wrong;
  }

  async close(): Promise<void> {
    await this.consumer.disconnect();
  }
}
