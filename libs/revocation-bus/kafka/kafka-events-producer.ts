// Not every name of this CommonJS module can be imported by itself.
import kafkajs, { type Kafka } from 'kafkajs';
import type { EventsProducer } from './session-events-publisher.js';

const RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 5 };
const PRODUCE_TIMEOUT_MS = 5_000;

/** A producer of its own: what it waits for delays no revocation. Partitions by key as Kafka's Java clients do. */
export const openKafkaEventsProducer = (kafka: Kafka, topic: string) => async (): Promise<EventsProducer> => {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: RETRY,
  });
  const close = (): void => void producer.disconnect().catch(() => undefined);
  try {
    await producer.connect();
  } catch (error) {
    close();
    throw error;
  }
  return {
    send: async (records) => {
      const messages = records.map(({ headers, ...record }) => ({ ...record, headers: { ...headers } }));
      await producer.send({ topic, acks: -1, timeout: PRODUCE_TIMEOUT_MS, messages });
    },
    close,
  };
};
