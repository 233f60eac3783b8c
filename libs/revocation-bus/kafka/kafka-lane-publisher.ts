import type { Admin, Kafka, Producer } from 'kafkajs';
import type { LaneBatch, LanePublisher, OpenLanePublisher } from './lane-publisher.js';

/** Of one publisher, which is short-lived when it fails: it must not write on for minutes after it was thrown away. */
const RETRY = { initialRetryTime: 30, maxRetryTime: 300, retries: 5 };
const PRODUCE_TIMEOUT_MS = 2_000;

/** Publishers on a Kafka topic: an idempotent producer each, one request in flight, all replicas in sync. */
export const openKafkaLanePublisher =
  (kafka: Kafka, topic: string): OpenLanePublisher =>
  async () => {
    const admin = kafka.admin({ retry: RETRY });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // The lane is ours to choose.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      retry: RETRY,
    });
    try {
      await Promise.all([admin.connect(), producer.connect()]);
      return new KafkaLanePublisher(topic, admin, producer, await endsOf(admin, topic));
    } catch (error) {
      disconnect(admin, producer);
      throw error;
    }
  };

const byLane = <T extends { readonly partition: number }>(rows: readonly T[]): readonly T[] =>
  [...rows].sort((a, b) => a.partition - b.partition);

async function endsOf(admin: Admin, topic: string): Promise<readonly bigint[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  if (offsets.length === 0) throw new Error(`the topic ${topic} has no partitions`);
  return byLane(offsets).map(({ high }) => BigInt(high));
}

class KafkaLanePublisher implements LanePublisher {
  constructor(
    private readonly topic: string,
    private readonly admin: Admin,
    private readonly producer: Producer,
    readonly ends: readonly bigint[],
  ) {}

  async publish(batches: readonly LaneBatch[]): Promise<ReadonlyMap<number, bigint>> {
    const answers = await this.producer.send({
      topic: this.topic,
      acks: -1,
      timeout: PRODUCE_TIMEOUT_MS,
      messages: batches.flatMap(({ lane, records }) =>
        records.map(({ headers, ...record }) => ({ ...record, headers: { ...headers }, partition: lane })),
      ),
    });
    const offsets = answers.map(
      ({ partition, baseOffset = '-1' }) => [partition, BigInt(baseOffset)] as const,
    );
    // A broker that takes a batch for one that it has already does not tell where.
    return new Map(offsets.filter(([, offset]) => offset >= 0n));
  }

  async countLanes(): Promise<number> {
    const { topics } = await this.admin.fetchTopicMetadata({ topics: [this.topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  async beginnings(): Promise<readonly bigint[]> {
    return byLane(await this.admin.fetchTopicOffsets(this.topic)).map(({ low }) => BigInt(low));
  }

  async offsetsFrom(timestamp: number): Promise<readonly bigint[]> {
    const rows = await this.admin.fetchTopicOffsetsByTimestamp(this.topic, Math.max(timestamp, 0));
    return byLane(rows).map(({ offset }) => BigInt(offset));
  }

  close(): void {
    disconnect(this.admin, this.producer);
  }
}

function disconnect(...clients: readonly { disconnect(): Promise<void> }[]): void {
  for (const client of clients) client.disconnect().catch(() => undefined);
}
