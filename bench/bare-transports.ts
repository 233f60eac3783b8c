import { randomBytes } from 'node:crypto';
import type { ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { Kafka, logLevel, type Consumer } from 'kafkajs';
import { built, Child, grpcClients, type GrpcClients, type KafkaCluster } from '#local-cluster';

const MESSAGES = 200;
const WARM_UP = 10;
const LANES = 4;
const MS_PER_NS = 1e-6;

interface Received {
  readonly revocation?: { readonly sid: string; readonly position: string };
}

/** Counts the receptions of one message at a time: late ones of an earlier message do not count. */
class LastReception {
  private expected = '';
  private left = 0;
  private done: (at: bigint) => void = () => undefined;

  constructor(private readonly count: number) {}

  /** Resolves with the time, in nanoseconds, at which the last of `count` receivers has it. */
  of(id: string): Promise<bigint> {
    this.expected = id;
    this.left = this.count;
    return new Promise((resolve) => (this.done = resolve));
  }

  received(id: string | undefined): void {
    if (id !== this.expected) return;
    this.left -= 1;
    if (this.left === 0) this.done(process.hrtime.bigint());
  }

  /** Sends until all receive: some may not be ready for the first message. */
  async warmUp(send: (id: string) => Promise<unknown>): Promise<void> {
    for (let trial = 0, good = 0; good < WARM_UP; trial += 1) {
      if (trial === 10 * WARM_UP) throw new Error(`not all of ${this.count} receivers got ready`);
      const reception = this.of(`warm-up ${trial}`);
      await send(`warm-up ${trial}`);
      const late = new Promise<undefined>((resolve) => setTimeout(resolve, 500, undefined));
      good += (await Promise.race([reception, late])) === undefined ? 0 : 1;
    }
  }
}

type WatchStream = ClientDuplexStream<object, Received>;

const openWatch = (clients: GrpcClients): WatchStream =>
  (clients.client('RevocationService')['Watch'] as (metadata: Metadata) => WatchStream).call(
    clients.client('RevocationService'),
    clients.metadata(),
  );

/**
 * The floor of Watch: a bare grpc-js server in a process of its own writes one message to `count` streams of this process, with
 * a stock client. @returns milliseconds from the first write to the last reception
 */
export async function bareGrpcFanOut(count: number): Promise<number[]> {
  const server = await Child.start<{ grpc: string }>({
    args: [built('bench/bare-watch-server.js')],
    env: {},
  });
  const clients = Array.from({ length: count }, () => grpcClients(server.ready.grpc, undefined));
  try {
    const last = new LastReception(count);
    let sentAt = '0';
    const streams = clients.map((each) => {
      const stream = openWatch(each);
      stream.on('data', ({ revocation }: Received) => {
        sentAt = revocation?.position ?? sentAt;
        last.received(revocation?.sid);
      });
      stream.on('error', () => undefined);
      stream.write({ hello: { nodeId: 'bare' } });
      return stream;
    });
    const send = (sid: string) => clients[0]!.call('RevocationService', 'Revoke', { sid });
    await last.warmUp(send);
    const times: number[] = [];
    for (let trial = 0; trial < MESSAGES; trial += 1) {
      const reception = last.of(String(trial));
      await send(String(trial));
      times.push(Number((await reception) - BigInt(sentAt)) * MS_PER_NS);
    }
    for (const stream of streams) stream.cancel();
    return times;
  } finally {
    for (const each of clients) each.close();
    await server.stop();
  }
}

/**
 * The floor of the Kafka way: one record, `acks: -1`, to `count` kafkajs consumers of this process, each with a group of its
 * own. @returns milliseconds from `send` to the last handler
 */
export async function bareKafkaFanOut(cluster: KafkaCluster, count: number): Promise<number[]> {
  const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
  const topic = `bare-${randomBytes(4).toString('hex')}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: LANES }], waitForLeaders: true });
  const last = new LastReception(count);
  const consumers: Consumer[] = [];
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  try {
    await producer.connect();
    for (let n = 0; n < count; n += 1)
      consumers.push(await startConsumer(kafka, topic, `${topic}-${n}`, last));
    const send = (value: string) =>
      producer.send({ topic, acks: -1, messages: [{ value, partition: Math.floor(Math.random() * LANES) }] });
    await last.warmUp(send);
    const times: number[] = [];
    for (let trial = 0; trial < MESSAGES; trial += 1) {
      const reception = last.of(String(trial));
      const sent = process.hrtime.bigint();
      await send(String(trial));
      times.push(Number((await reception) - sent) * MS_PER_NS);
    }
    return times;
  } finally {
    await Promise.all([...consumers.map((consumer) => consumer.disconnect()), producer.disconnect()]);
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }
}

async function startConsumer(
  kafka: Kafka,
  topic: string,
  groupId: string,
  last: LastReception,
): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 500 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ message }) => {
      last.received(message.value?.toString());
      return Promise.resolve();
    },
  });
  await joined;
  return consumer;
}
