import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';

const INTERVAL_MS = 50;
const WITHIN_MS = 90_000;

export type KafkaLogin = Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'>;

/** One attempt, no retry, nothing logged: whoever waits asks again. */
const clientOf = (login: KafkaLogin): Kafka =>
  new Kafka({
    ...login,
    clientId: 'curfew-harness',
    connectionTimeout: 2000,
    requestTimeout: 10_000,
    enforceRequestTimeout: true,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });

export interface Readiness {
  readonly login: KafkaLogin;
  /** Nodes that must take part. */
  readonly ids: readonly number[];
  /** Asked between the attempts: throws if waiting is in vain. */
  readonly check: () => Promise<void>;
}

/**
 * Resolves when the cluster is one and each of these nodes takes a record: a port is open long before that.
 * @throws Error after 90 s, with the last refusal
 */
export async function untilReady({ login, ids, check }: Readiness): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  await attempt(() => describesAll(login, ids));
  await attempt(() => takesRecords(login, ids));

  async function attempt(ask: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        await check();
        if (performance.now() > end)
          throw new Error(`Kafka was not ready after ${WITHIN_MS / 1000} s: ${(error as Error).message}`, {
            cause: error,
          });
        await delay(INTERVAL_MS);
      }
    }
  }
}

/** Every broker that can be asked is there, and the node ids with it. */
export async function describeBrokers(login: KafkaLogin): Promise<{ id: number; broker: string }[]> {
  const admin = clientOf(login).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.map(({ nodeId, host, port }) => ({ id: nodeId, broker: `${host}:${port}` }));
  } finally {
    await admin.disconnect();
  }
}

async function describesAll(login: KafkaLogin, ids: readonly number[]): Promise<void> {
  for (const broker of login.brokers as string[]) {
    const seen = await describeBrokers({ ...login, brokers: [broker] });
    const absent = ids.filter((id) => !seen.some((node) => node.id === id));
    if (absent.length > 0) throw new Error(`node ${absent.join()} has not joined`);
  }
}

/** A topic with a partition on each node, a record to each partition. A node that the controller fences has none. */
async function takesRecords(login: KafkaLogin, ids: readonly number[]): Promise<void> {
  const kafka = clientOf(login);
  const admin = kafka.admin();
  const producer = kafka.producer({ retry: { retries: 3 } });
  const topic = `curfew-harness-${randomUUID()}`;
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({
      topics: [
        {
          topic,
          replicaAssignment: ids.map((id, partition) => ({ partition, replicas: [id] })),
          configEntries: [{ name: 'min.insync.replicas', value: '1' }],
        },
      ],
    });
    const messages = ids.map((_, partition) => ({ partition, value: '' }));
    await producer.send({ topic, acks: -1, messages });
    await admin.deleteTopics({ topics: [topic] });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}
