import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  dataFolder,
  eventually,
  externalDatabase,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { describeWithKafka } from '../support/kafka.js';
import { LaneReader, makeTopic, topicName } from '../support/lanes.js';
import { OwnPostgres } from '../support/own-postgres.js';

const LANES = 4;

interface Relayed {
  readonly postgres: OwnPostgres;
  readonly topic: string;
  instance(extra?: Readonly<Record<string, string>>): Promise<TestService>;
  close(): Promise<void>;
}

async function startRelayed(brokers: readonly string[], what: string): Promise<Relayed> {
  const folder = await dataFolder();
  const topic = topicName(what);
  await makeTopic(brokers, topic, LANES);
  await makeTopic(brokers, `${topic}.events`, LANES);
  const postgres = await OwnPostgres.start(`${folder.path}-pg`);
  const database = await externalDatabase(folder.path, postgres.url);
  const instances: TestService[] = [];
  return {
    postgres,
    topic,
    instance: async (extra = {}) => {
      const service = await startTestService(folder.path, {
        ...database,
        KAFKA_BROKERS: brokers.join(','),
        CURFEW_KAFKA_REVOCATIONS_TOPIC: topic,
        CURFEW_KAFKA_SESSION_EVENTS_TOPIC: `${topic}.events`,
        ...extra,
      });
      instances.push(service);
      return service;
    },
    close: async () => {
      await Promise.all(
        instances
          .filter(({ child }) => child.running)
          .map(({ child }) => (child.signal('SIGCONT'), child.stop())),
      );
      await postgres.stop();
      await folder.remove();
    },
  };
}

async function newSession({ rest }: TestService, sub = 'user-1'): Promise<string> {
  const { body } = await rest.call<{ sid: string }>('POST', '/v1/sessions', { sub, client: 'web' });
  return body.sid;
}

describeWithKafka('the relay on Kafka', (kafka) => {
  // Inside: what is closed here must still find its broker.
  describe('on a broker', () => {
    let relayed: Relayed;
    let reader: LaneReader;
    let service: TestService;
    beforeAll(async () => {
      relayed = await startRelayed(kafka().brokers, 'relay');
      service = await relayed.instance();
      reader = await LaneReader.open(kafka().brokers, relayed.topic);
    });
    afterAll(async () => {
      await reader.close();
      await relayed.close();
    });

    it('brings each revocation in milliseconds, with contiguous sequences', async () => {
      await eventually(() => reader.incarnations.length === 1, { within: 20_000, what: 'the first leader' });
      const delays: number[] = [];
      for (let i = 0; i < 50; i++) {
        const sid = await newSession(service, `user-${i}`);
        await service.rest.call('DELETE', `/v1/sessions/${sid}`);
        const revokedAt = performance.now();
        const [arrival] = await eventually(() => reader.of(sid).length > 0 && reader.of(sid));
        delays.push(arrival!.at - revokedAt);
      }
      delays.sort((a, b) => a - b);
      console.log(
        `revoke returned → record read: p50 ${delays[25]!.toFixed(1)} ms, worst ${delays[49]!.toFixed(1)} ms`,
      );
      expect(reader.gaps(reader.incarnations[0]!)).toEqual([]);
      expect(delays[25]).toBeLessThan(200);
    });
  });
});
