import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { openKafka } from '#revocation-bus';
import { describeWithKafka } from '../../test/support/kafka.js';
import { runCli } from './program.js';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describeWithKafka('curfew topics, with a real broker', (kafka) => {
  let admin: Admin;
  let revocations: string;
  let sessionEvents: string;

  beforeAll(async () => {
    admin = openKafka({ brokers: kafka().brokers, clientId: 'test' }, () => undefined).admin();
    await admin.connect();
  });
  afterAll(() => admin.disconnect());
  beforeEach(() => {
    const name = randomUUID();
    revocations = `test.${name}.revocations`;
    sessionEvents = `test.${name}.session-events`;
  });

  async function run(words: string, settings: Record<string, string> = {}): Promise<Ended> {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCli(words.split(' '), {
      env: {
        KAFKA_BROKERS: kafka().brokers.join(),
        CURFEW_KAFKA_REVOCATIONS_TOPIC: revocations,
        CURFEW_KAFKA_SESSION_EVENTS_TOPIC: sessionEvents,
        ...settings,
      },
      print: (text) => out.push(text),
      complain: (text) => err.push(text),
    });
    return { code, out: out.join('\n'), err: err.join('\n') };
  }

  const configsOf = async (topic: string) => {
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic };
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
    return Object.fromEntries(
      resources.flatMap(({ configEntries }) =>
        configEntries.map(({ configName, configValue }) => [configName, configValue]),
      ),
    );
  };
  const set = (topic: string, configs: Record<string, string>) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    });
  const make = async (topic: string, configs: Record<string, string> = {}, numPartitions = 4) => {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] });
  };

  it('creates both as they must be, which check then finds right', async () => {
    expect(await run('topics check')).toMatchObject({
      code: 1,
      err: [
        'curfew: ERR_KAFKA_TOPIC_REFUSED: A Kafka topic cannot keep the guarantees',
        `${revocations}: existence is missing, must be there. Mend: curfew topics create`,
        `${sessionEvents}: existence is missing, must be there. Mend: curfew topics create`,
      ].join('\n'),
    });
    const created = await run('topics create --json', { CURFEW_KAFKA_LANES: '3' });
    expect(JSON.parse(created.out)).toMatchObject({
      created: [revocations, sessionEvents],
      altered: [],
      findings: [],
      acls: expect.arrayContaining([expect.stringContaining('kafka-acls.sh')]),
    });
    const { topics } = await admin.fetchTopicMetadata({ topics: [revocations, sessionEvents] });
    expect(topics.map(({ partitions }) => partitions.length)).toEqual([3, 3]);
    expect(await configsOf(revocations)).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '86400000',
      'retention.bytes': '-1',
      'segment.ms': '3600000',
      'unclean.leader.election.enable': 'false',
      'message.timestamp.type': 'CreateTime',
    });
    expect(await run('topics check')).toEqual({
      code: 0,
      out: `${revocations} is right\n${sessionEvents} is right`,
      err: '',
    });
    const checked = await run('topics check --json', { CURFEW_KAFKA_LANES: '3' });
    expect(JSON.parse(checked.out)).toEqual({ topics: [revocations, sessionEvents], findings: [] });
  });

  it('may be run again, and makes only what is missing', async () => {
    await make(sessionEvents);
    expect(JSON.parse((await run('topics create --json')).out)).toMatchObject({ created: [revocations] });
    const again = await run('topics create');
    expect(again.code).toBe(0);
    expect(again.out).toContain(`${revocations} was there\n${sessionEvents} was there\n`);
  });

  it('finds what is wrong, each with what it is and must be, and changes nothing', async () => {
    const wrong = {
      'cleanup.policy': 'compact',
      'retention.ms': '60000',
      'message.timestamp.type': 'LogAppendTime',
    };
    await make(
      revocations,
      { ...wrong, 'unclean.leader.election.enable': 'true', 'max.message.bytes': '1000' },
      2,
    );
    await make(sessionEvents);
    const before = await configsOf(revocations);
    const { code, out } = await run('topics create --json', { CURFEW_KAFKA_LANES: '4' });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      created: [],
      altered: [],
      findings: [
        { topic: revocations, setting: 'partitions', is: '2' },
        { setting: 'cleanup.policy', is: 'compact', mustBe: 'delete' },
        { setting: 'retention.ms', is: '60000' },
        { setting: 'unclean.leader.election.enable', is: 'true', mustBe: 'false' },
        { setting: 'message.timestamp.type', is: 'LogAppendTime', mustBe: 'CreateTime' },
        { setting: 'max.message.bytes', is: '1000' },
      ],
    });
    expect(await configsOf(revocations)).toEqual(before);
  });

  it('mends with --alter what is wrong, and leaves the rest as it was set', async () => {
    await make(revocations);
    await make(sessionEvents, { 'retention.ms': '-1' });
    await set(revocations, {
      'retention.ms': '60000',
      'cleanup.policy': 'compact',
      'segment.bytes': '20000000',
    });
    await set(sessionEvents, { 'retention.ms': '-1', 'unclean.leader.election.enable': 'true' });
    const { code, out } = await run('topics create --alter --json');
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { created: [], altered: [revocations, sessionEvents], findings: [] },
    ]);
    expect(await configsOf(revocations)).toMatchObject({
      'retention.ms': '86400000',
      'cleanup.policy': 'delete',
      'segment.bytes': '20000000',
    });
    expect(await configsOf(sessionEvents)).toMatchObject({
      'retention.ms': '-1',
      'unclean.leader.election.enable': 'false',
    });
  });

  it('asks for as many copies as production needs, and says when there are not enough brokers', async () => {
    expect(await run('topics create', { NODE_ENV: 'production' })).toMatchObject({
      code: 2,
      err: 'curfew: CURFEW_KAFKA_REPLICATION: 3 copies need as many brokers, and there are 1',
    });
    await run('topics create');
    const { err } = await run('topics check', { NODE_ENV: 'production' });
    expect(err).toContain(`${revocations}: replication is 1, must be at least 3.`);
    expect(err).toContain(`${revocations}: min.insync.replicas is 1, must be at least 2.`);
  });

  it('follows CURFEW_MAX_ACCESS_TTL', async () => {
    await run('topics create');
    const { code, err } = await run('topics check', { CURFEW_MAX_ACCESS_TTL: '12h' });
    expect(code).toBe(1);
    expect(err).toContain(`${revocations}: retention.ms is 86400000, must be at least 172800000`);
  });
});
