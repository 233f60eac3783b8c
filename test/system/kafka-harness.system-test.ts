import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { Kafka, logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs';
import { describeWithKafka, describeWithSecuredKafka } from '../support/kafka.js';

const client = (config: KafkaConfig, retries = 10): Kafka =>
  new Kafka({
    requestTimeout: 2000,
    enforceRequestTimeout: true,
    connectionTimeout: 1000,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 500 },
    logLevel: logLevel.NOTHING,
    ...config,
  });

async function createTopic(kafka: Kafka, replicationFactor = 1): Promise<string> {
  const topic = `harness-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor }] });
  await admin.disconnect();
  return topic;
}

async function produce(kafka: Kafka, topic: string, ...values: string[]): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value })) });
  } finally {
    await producer.disconnect();
  }
}

/** The first `count` values of a topic. */
async function consume(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((done, fail) => {
    consumer
      .run({
        autoCommit: false,
        eachMessage: ({ message }) => {
          values.push(message.value?.toString() ?? '');
          if (values.length === count) done();
          return Promise.resolve();
        },
      })
      .catch(fail);
  });
  await consumer.disconnect();
  return values;
}

/** Whether something accepts connections there. */
const listens = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host = '', port = '0'] = address.split(':');
    const socket = connect({ host, port: Number(port) }, () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });

describeWithKafka(
  'one Kafka broker',
  (kafka) => {
    it('takes records of an idempotent producer and gives them to a group', async () => {
      const clients = client({ brokers: [...kafka().brokers] });
      const topic = await createTopic(clients);
      await produce(clients, topic, 'a', 'b');
      expect(await consume(clients, topic, 2)).toEqual(['a', 'b']);
    });

    it('keeps its records and its port over a kill -9', async () => {
      const clients = client({ brokers: [...kafka().brokers] });
      const topic = await createTopic(clients);
      await produce(clients, topic, 'before');
      const [node] = kafka().nodes;
      await node?.kill();
      expect(await listens(kafka().brokers[0] ?? '')).toBe(false);
      await node?.restart();
      await produce(clients, topic, 'after');
      expect(await consume(clients, topic, 2)).toEqual(['before', 'after']);
    });

    it('answers nothing while it is paused, and goes on when it is resumed', async () => {
      const clients = client({ brokers: [...kafka().brokers] });
      const topic = await createTopic(clients);
      const [node] = kafka().nodes;
      await node?.pause();
      const hasty = client({ brokers: [...kafka().brokers] }, 0);
      await expect(createTopic(hasty)).rejects.toThrow(/timed out/i);
      expect(await listens(kafka().brokers[0] ?? '')).toBe(true);
      await node?.resume();
      await produce(clients, topic, 'in time');
      expect(await consume(clients, topic, 1)).toEqual(['in time']);
    });
  },
  { faults: true },
);

describeWithKafka(
  'three Kafka brokers',
  (kafka) => {
    it('take and keep records while one of them is dead', async () => {
      const clients = client({ brokers: [...kafka().brokers] }, 40);
      const topic = await createTopic(clients, 3);
      await produce(clients, topic, 'all three');
      const admin = clients.admin();
      await admin.connect();
      const [partition] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions ?? [];
      await admin.disconnect();
      const leader = kafka().nodes.find(({ id }) => id === partition?.leader);
      await leader?.kill();
      await produce(clients, topic, 'two of them');
      expect(await consume(clients, topic, 2)).toEqual(['all three', 'two of them']);
      await leader?.restart();
    });
  },
  { nodes: 3 },
);

describeWithSecuredKafka('a Kafka broker with users, TLS and ACLs', (kafka) => {
  const secured = (sasl: SASLOptions, ca = kafka().tls.ca): KafkaConfig => ({
    brokers: [...kafka().brokers],
    ssl: { ca: [ca] },
    sasl,
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('logs users in by %s', async (mechanism) => {
    const admin = client(secured({ mechanism, ...kafka().users.admin }));
    const topic = await createTopic(admin);
    await produce(admin, topic, 'a');
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'refuses a wrong password by %s',
    async (mechanism) => {
      const wrong = { mechanism, username: 'admin', password: 'wrong' } as SASLOptions;
      await expect(createTopic(client(secured(wrong), 0))).rejects.toThrow(/auth/i);
    },
  );

  it('shows a certificate that only its own authority vouches for', async () => {
    const admin = { mechanism: 'plain', ...kafka().users.admin } as const;
    const stranger = client({ ...secured(admin), ssl: true }, 0);
    await expect(createTopic(stranger)).rejects.toThrow(/certificate/i);
  });

  it('lets a user do nothing that no ACL allows', async () => {
    const topic = await createTopic(client(secured({ mechanism: 'plain', ...kafka().users.admin })));
    const relay = client(secured({ mechanism: 'plain', ...kafka().users.relay }), 1);
    await expect(produce(relay, topic, 'a')).rejects.toThrow(/authoriz/i);
  });

  it('knows the bearer of a client certificate, and turns away who has none', async () => {
    const { brokers, ca, cert, key } = kafka().mutualTls;
    await createTopic(client({ brokers: [...brokers], ssl: { ca: [ca], cert, key } }));
    const nobody = client({ brokers: [...brokers], ssl: { ca: [ca] } }, 0);
    await expect(createTopic(nobody)).rejects.toThrow(/certificate|closed|ECONNRESET/i);
  });
});

// The suites above share one process with this one: nothing of theirs may be left when they are through.
describeWithKafka('a Kafka cluster that is stopped', (kafka) => {
  it('leaves nothing that listens', async () => {
    await kafka().stop();
    const open = kafka().how === 'external' ? [] : kafka().brokers;
    expect(await Promise.all(open.map(listens))).toEqual(open.map(() => false));
  });
});
