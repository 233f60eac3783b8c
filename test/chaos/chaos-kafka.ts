import { Kafka, logLevel, type Admin, type KafkaMessage } from 'kafkajs';
import { decodeLaneRecord, REVOCATIONS_TOPIC } from '#contracts';
import { createTopics, startKafka, type KafkaCluster, type KafkaNode } from '#local-cluster';
import { deleteRecords } from '../support/lanes.js';

const LANES = 4;

export type StoredRecord = KafkaMessage & { readonly partition: number };

/** The brokers, and what the test does to the topic behind everybody's back: straight, not through proxies. */
export class ChaosKafka {
  private constructor(
    private readonly cluster: KafkaCluster,
    private readonly client: Kafka,
    private readonly admin: Admin,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** With the topics, as `curfew topics create` makes them. @param env the service's settings of its life of tokens */
  static async start(nodes: 1 | 3, env: Readonly<Record<string, string>>): Promise<ChaosKafka> {
    const cluster = await startKafka({ nodes });
    const client = new Kafka({
      brokers: [...cluster.brokers],
      clientId: 'chaos',
      logLevel: logLevel.NOTHING,
    });
    const settings = {
      KAFKA_BROKERS: cluster.brokers.join(),
      CURFEW_KAFKA_LANES: String(LANES),
      CURFEW_KAFKA_REPLICATION: String(nodes),
      CURFEW_KAFKA_MIN_ISR: nodes === 1 ? '1' : '2',
    };
    const kafka = new ChaosKafka(cluster, client, client.admin(), { ...settings, ...env });
    try {
      await kafka.admin.connect();
      await kafka.createTopics();
    } catch (error) {
      await kafka.stop();
      throw error;
    }
    return kafka;
  }

  get brokers(): readonly string[] {
    return this.cluster.brokers;
  }

  get nodes(): readonly KafkaNode[] {
    return this.cluster.nodes;
  }

  /** Settings of an instance; how many lanes there are is for the topic to say. */
  get settings(): Record<string, string> {
    const { KAFKA_BROKERS, CURFEW_KAFKA_REPLICATION, CURFEW_KAFKA_MIN_ISR } = this.env;
    return {
      KAFKA_BROKERS: KAFKA_BROKERS!,
      CURFEW_KAFKA_REPLICATION: CURFEW_KAFKA_REPLICATION!,
      CURFEW_KAFKA_MIN_ISR: CURFEW_KAFKA_MIN_ISR!,
    };
  }

  /** Everything that is on it goes; offsets go on. */
  truncate(): Promise<void> {
    return deleteRecords(this.admin, REVOCATIONS_TOPIC);
  }

  async deleteTopic(): Promise<void> {
    await this.admin.deleteTopics({ topics: [REVOCATIONS_TOPIC] });
  }

  /** Those that are missing. */
  async createTopics(): Promise<void> {
    await createTopics(this.brokers, { own: false, env: this.env });
  }

  /** Writes records again that are on the topic already, where they were, in another order. */
  async republish(records: readonly StoredRecord[]): Promise<void> {
    const producer = this.client.producer();
    await producer.connect();
    try {
      await producer.send({
        topic: REVOCATIONS_TOPIC,
        acks: -1,
        messages: records.map(({ key, value, headers, timestamp, partition }) => ({
          key,
          value,
          timestamp,
          partition,
          ...(headers ? { headers } : {}),
        })),
      });
    } finally {
      await producer.disconnect();
    }
  }

  /** Reads along from the beginning until it is stopped. */
  async follow(onRecord: (record: StoredRecord) => void): Promise<() => Promise<void>> {
    const consumer = this.client.consumer({ groupId: `chaos-${Date.now()}` });
    await consumer.connect();
    await consumer.subscribe({ topic: REVOCATIONS_TOPIC, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }) => {
        onRecord({ ...message, partition });
        return Promise.resolve();
      },
    });
    return () => consumer.disconnect();
  }

  async stop(): Promise<void> {
    await this.admin.disconnect().catch(() => undefined);
    await this.cluster.stop();
  }
}

/** Of a record of a revocation; undefined for a heartbeat. */
export function revocationIdIn({ headers, value }: StoredRecord): string | undefined {
  const { content } = decodeLaneRecord(headers ?? {}, value);
  return content.kind === 'revocation' ? content.published.revocationId : undefined;
}
