import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { encodeLaneRecord } from '#contracts';
import { createTopics, projectRoot, type KafkaCluster } from '#local-cluster';
import type { IssuedSession } from '#sdk';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { describeWithKafka } from '../support/kafka.js';
import { missingForPageConsumer, PageConsumer } from '../support/page-consumer.js';

const B = 2_000;
const missing = missingForPageConsumer.join(' and ');
const NAME = 'the contract page: a consumer in Python on kcat';

if (missing === '') describeWithKafka(NAME, tests, { faults: true });
else
  describe.skip(`${NAME} (skipped: no ${missing} here)`, () =>
    tests(() => {
      throw new Error('skipped');
    }));

function tests(kafka: () => KafkaCluster): void {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let consumer: PageConsumer;
  let settings: Record<string, string>;
  let topic: string;

  beforeAll(async () => {
    folder = await dataFolder();
    const topics = await createTopics(kafka().brokers);
    settings = { ...topics.env };
    topic = topics.revocationsTopic;
    service = await startTestService(folder.path, settings);
    consumer = startConsumer();
  });
  afterAll(async () => {
    await consumer.stop();
    await service.child.stop();
    await folder.remove();
  });

  const startConsumer = (): PageConsumer =>
    PageConsumer.start({
      brokers: kafka().brokers,
      topic,
      service: service.http,
      apiKey: service.key,
      boundMs: B,
    });
  const create = async (sub = 'user-1'): Promise<IssuedSession & { accessToken: string }> =>
    (
      await service.rest.call<IssuedSession & { accessToken: string }>('POST', '/v1/sessions', {
        sub,
      })
    ).body;
  const becomes = (who: PageConsumer, token: string, decision: string): Promise<unknown> =>
    eventually(async () => (await who.decide(token)) === decision, { within: 20_000, what: decision });

  it('G2: accepts a living session once it holds a lease, and refuses it when it is revoked', async () => {
    const { accessToken, sid } = await create();
    await becomes(consumer, accessToken, 'accepts');
    await service.rest.call('DELETE', `/v1/sessions/${sid}`);
    const returned = performance.now();
    await becomes(consumer, accessToken, 'refuses');
    expect(performance.now() - returned).toBeLessThan(B);
  });

  it('G5: a mass revocation ends what it should and spares what it says', async () => {
    const [here, there] = [await create('user-2'), await create('user-2')];
    await becomes(consumer, there.accessToken, 'accepts');
    const { status } = await service.rest.call('DELETE', `/v1/users/user-2/sessions?except=${here.sid}`);
    expect(status).toBe(200);
    await becomes(consumer, there.accessToken, 'refuses');
    expect(await consumer.decide(here.accessToken)).toBe('accepts');
    await becomes(consumer, (await create('user-2')).accessToken, 'accepts');
  });

  it('G2: one that starts later learns by replay what was revoked before', async () => {
    const { accessToken, sid } = await create('user-3');
    await service.rest.call('DELETE', `/v1/sessions/${sid}`);
    const alive = await create('user-3');
    const late = startConsumer();
    try {
      await becomes(late, alive.accessToken, 'accepts');
      expect(await late.decide(accessToken)).toBe('refuses');
    } finally {
      await late.stop();
    }
  });

  it('leaves a sample of the topic for the page, when it is asked to', () => {
    if (process.env['RECORD_SAMPLE'] === undefined) return;
    const lines = [0, 1, 2, 3].flatMap((lane) =>
      execFileSync('kcat', [
        ...['-C', '-J', '-q', '-c', '40', '-b', kafka().brokers.join(), '-t', topic, '-p', String(lane)],
      ])
        .toString()
        .trim()
        .split('\n'),
    );
    const file = join(projectRoot(), 'docs/reference/revocation-stream/sample.jsonl');
    writeFileSync(file, `${lines.join('\n')}\n`);
  });

  it('G2: a record that was lost ends its lease; only a new leader of the relay gives it back', async () => {
    const { accessToken } = await create();
    await becomes(consumer, accessToken, 'accepts');
    await skipAhead();
    await becomes(consumer, accessToken, 'has no lease');
    await service.child.stop();
    service = await startTestService(folder.path, {
      ...settings,
      CURFEW_HTTP_PORT: new URL(service.http).port,
    });
    await becomes(consumer, accessToken, 'accepts');
  }, 60_000);

  it('G2: with the broker stopped its lease ends within B, and comes back with the broker', async () => {
    const { accessToken } = await create();
    await becomes(consumer, accessToken, 'accepts');
    const [node] = kafka().nodes;
    await node!.pause();
    const paused = performance.now();
    let accepted = 0;
    try {
      await eventually(
        async () => {
          const asked = performance.now();
          const decision = await consumer.decide(accessToken);
          if (decision === 'accepts') accepted = asked - paused;
          return decision === 'has no lease' && asked - paused > 2 * B;
        },
        { within: 30_000, what: 'an end of the lease' },
      );
      // Asked before the bound, it may have decided until the bound.
      expect(accepted).toBeLessThan(B);
    } finally {
      await node!.resume();
    }
    await becomes(consumer, accessToken, 'accepts');
  }, 60_000);

  /** As if sequences 1 to 4 of a new leader had been lost. */
  async function skipAhead(): Promise<void> {
    const client = new Kafka({ brokers: [...kafka().brokers], logLevel: logLevel.NOTHING });
    const producer = client.producer();
    await producer.connect();
    const incarnation = Date.now();
    const heartbeat = { barrier: '1', cursor: '', referenceTimeMs: incarnation, maxAccessTtlMs: 900_000 };
    const place = { streamId: randomBytes(8).toString('hex'), lanes: 4, incarnation, sequence: 5 };
    const record = encodeLaneRecord(
      place,
      { kind: 'heartbeat', heartbeat },
      {
        lane: 0,
        source: '/curfew/test',
        timestamp: incarnation,
      },
    );
    await producer.send({ topic, messages: [{ ...record, headers: { ...record.headers }, partition: 0 }] });
    await producer.disconnect();
  }
}
