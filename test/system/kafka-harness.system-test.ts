import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';
import { Kafka, logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs';
import { built, Child, startKafka } from '#local-cluster';
import { eventually } from '../support/cluster.js';
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
  // kafkajs asks for a producer id once, of a node that may be the dead one.
  const connected = (): Promise<boolean> =>
    producer.connect().then(
      () => true,
      (error: Error) => (/ECONNREFUSED/.test(error.message) ? false : Promise.reject(error)),
    );
  await eventually(connected, { what: 'a producer' });
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

/** A process that starts a broker and never stops it. */
const HOLDER = `
import { readdirSync } from 'node:fs';
import { startKafka } from '${pathToFileURL(built('libs/local-cluster/index.js')).href}';
const { brokers } = await startKafka();
process.send({ ready: { broker: brokers[0], files: readdirSync(process.env.TMPDIR) } });
setInterval(() => undefined, 1000);
`;

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

    it('is taken from KAFKA_BROKERS when that is set, and then not killed', async () => {
      process.env['KAFKA_BROKERS'] = kafka().brokers.join();
      try {
        const theirs = await startKafka();
        expect(theirs).toMatchObject({ how: 'external', brokers: kafka().brokers });
        await expect(theirs.nodes[0]?.kill()).rejects.toThrow(/KAFKA_BROKERS: it is not ours to kill/);
        await expect(startKafka({ nodes: 3 })).rejects.toThrow(/has 1 broker/);
        await expect(startKafka({ security: 'sasl-ssl' })).rejects.toThrow(/of their own|of its own/);
        await theirs.stop();
        expect(await listens(kafka().brokers[0] ?? '')).toBe(true);
      } finally {
        delete process.env['KAFKA_BROKERS'];
      }
    });

    it('does not outlive the process that started it', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'curfew-holder-'));
      const holder = await Child.start<{ broker: string; files: string[] }>({
        args: ['--input-type=module', '--eval', HOLDER],
        env: { TMPDIR: folder },
      });
      const { broker, files } = holder.ready;
      expect(await listens(broker)).toBe(true);
      expect(files).toHaveLength(1);
      holder.signal('SIGKILL');
      const gone = async (): Promise<boolean> => !(await listens(broker)) && readdirSync(folder).length === 0;
      await eventually(gone, { what: 'the end of the broker and of its data' });
      rmSync(folder, { recursive: true });
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
    });

    it('leave nothing that listens when they are stopped', async () => {
      await kafka().stop();
      const left = await Promise.all(kafka().brokers.map(listens));
      expect(left).toEqual([false, false, false]);
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
