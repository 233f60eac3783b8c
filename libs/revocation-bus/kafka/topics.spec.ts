import { describe, expect, it } from '@jest/globals';
import type { Admin } from 'kafkajs';
import { KafkaEnvironment } from './kafka-environment.js';
import { aclLines, topicAcls } from './topic-acls.js';
import { checkTopics, describeFinding, topicsRefused } from './topics.js';
import { wantedTopics, type WantedTopic } from './wanted-topics.js';

const TTL = 900_000;
const REVOCATIONS = 'curfew.revocations.v1';
const wanted = (settings: Partial<KafkaEnvironment> & { NODE_ENV?: string } = {}) =>
  wantedTopics(Object.assign(new KafkaEnvironment(), settings), TTL);

interface Topic {
  partitions?: number;
  copies?: number;
  configs?: Record<string, string | undefined>;
}

const RIGHT: Record<string, string> = {
  'cleanup.policy': 'delete',
  'retention.ms': '86400000',
  'retention.bytes': '-1',
  'min.insync.replicas': '1',
  'unclean.leader.election.enable': 'false',
  'message.timestamp.type': 'CreateTime',
  'max.message.bytes': '1048588',
};

const brokerError = (type: string) => Object.assign(new Error(type), { type });

const answer =
  <A, R>(fake: (asked: A) => R) =>
  (asked: A): Promise<R> =>
    Promise.resolve().then(() => fake(asked));

/** What a broker would answer; the topic of session events is always right. */
function adminOf(revocations: Topic | Error, configError?: Error): Admin {
  const topicOf = (name: string): Topic => {
    if (name !== REVOCATIONS) return {};
    if (revocations instanceof Error) throw revocations;
    return revocations;
  };
  return {
    fetchTopicMetadata: answer(({ topics: [name] }: { topics: string[] }) => {
      const { partitions = 4, copies = 1 } = topicOf(name!);
      const replicas = Array.from({ length: copies }, (_, node) => node);
      return { topics: [{ name, partitions: Array.from({ length: partitions }, () => ({ replicas })) }] };
    }),
    describeConfigs: answer(({ resources: [{ name }] }: { resources: [{ name: string }] }) => {
      if (configError && name === REVOCATIONS) throw configError;
      const configs = Object.entries({ ...RIGHT, ...topicOf(name).configs });
      const told = configs.filter(([, value]) => value !== undefined);
      return {
        resources: [
          { configEntries: told.map(([configName, configValue]) => ({ configName, configValue })) },
        ],
      };
    }),
  } as unknown as Admin;
}

const briefly = async (admin: Admin, topics: readonly WantedTopic[] = wanted()) =>
  (await checkTopics(admin, topics)).map(({ setting, is, mustBe }) => [setting, is, mustBe]);

describe('checkTopics', () => {
  it('finds nothing wrong with topics that are right', async () => {
    expect(await briefly(adminOf({}))).toEqual([]);
  });

  it('takes any number of lanes unless one is set', async () => {
    expect(await briefly(adminOf({ partitions: 7 }))).toEqual([]);
    expect(await briefly(adminOf({ partitions: 7 }), wanted({ CURFEW_KAFKA_LANES: 4 }))).toEqual([
      ['partitions', '7', '4 (CURFEW_KAFKA_LANES)'],
    ]);
  });

  it('asks for three copies and two in sync in production', async () => {
    expect(
      await briefly(
        adminOf({ copies: 3, configs: { 'min.insync.replicas': '1' } }),
        wanted({ NODE_ENV: 'production' }).slice(0, 1),
      ),
    ).toEqual([['min.insync.replicas', '1', 'at least 2']]);
    expect(
      await briefly(
        adminOf({ copies: 2, configs: { 'min.insync.replicas': '2' } }),
        wanted({ NODE_ENV: 'production' }).slice(0, 1),
      ),
    ).toEqual([['replication', '2', 'at least 3']]);
  });

  it.each([
    ['cleanup.policy', 'compact', 'delete'],
    ['cleanup.policy', 'compact,delete', 'delete'],
    ['retention.ms', '3599999', 'at least 3600000 (4 times CURFEW_MAX_ACCESS_TTL), or -1'],
    ['retention.bytes', '1000000', '-1'],
    ['unclean.leader.election.enable', 'true', 'false'],
    ['message.timestamp.type', 'LogAppendTime', 'CreateTime'],
    ['max.message.bytes', '1000', 'at least 1048588'],
    ['min.insync.replicas', '2', 'at most 1, its copies'],
  ])('finds %s=%s', async (setting, is, mustBe) => {
    expect(await briefly(adminOf({ configs: { [setting]: is } }))).toEqual([[setting, is, mustBe]]);
  });

  it.each([
    ['retention.ms', '3600000'],
    ['retention.ms', '-1'],
    ['max.message.bytes', '2000000'],
  ])('lets %s=%s be', async (setting, is) => {
    expect(await briefly(adminOf({ configs: { [setting]: is } }))).toEqual([]);
  });

  it('does not take silence for consent', async () => {
    expect(await briefly(adminOf({ configs: { 'retention.ms': undefined } }))).toMatchObject([
      ['retention.ms', 'not told by the broker', expect.any(String)],
    ]);
  });

  it('names a topic that is missing, and permissions that are', async () => {
    const missing = adminOf(brokerError('UNKNOWN_TOPIC_OR_PARTITION'));
    expect(await checkTopics(missing, wanted())).toEqual([
      {
        topic: REVOCATIONS,
        setting: 'existence',
        is: 'missing',
        mustBe: 'there',
        mend: 'curfew topics create',
      },
    ]);
    const denied = brokerError('TOPIC_AUTHORIZATION_FAILED');
    expect(await briefly(adminOf(denied))).toEqual([['permission', 'no Describe', 'Describe']]);
    expect(await briefly(adminOf({}, denied))).toEqual([
      ['permission', 'no DescribeConfigs', 'DescribeConfigs'],
    ]);
  });

  it('does not take a broker that is away for a topic that is wrong', async () => {
    const away = brokerError('LEADER_NOT_AVAILABLE');
    await expect(checkTopics(adminOf(away), wanted())).rejects.toBe(away);
  });
});

describe('topicsRefused', () => {
  it('tells everything at once: topic, setting, what it is, what it must be, how to mend it', async () => {
    const findings = await checkTopics(
      adminOf({ configs: { 'cleanup.policy': 'compact', 'retention.ms': '60000' } }),
      wanted(),
    );
    const error = topicsRefused(findings);
    expect([error.code, error.detail]).toEqual([
      'ERR_KAFKA_TOPIC_REFUSED',
      [
        'curfew.revocations.v1: cleanup.policy is compact, must be delete. Mend: curfew topics create --alter',
        'curfew.revocations.v1: retention.ms is 60000, must be at least 3600000 (4 times CURFEW_MAX_ACCESS_TTL), or -1. Mend: curfew topics create --alter',
      ].join('\n'),
    ]);
    expect(describeFinding(findings[0]!)).toBe(error.detail?.split('\n')[0]);
  });
});

describe('wantedTopics', () => {
  it('keeps records for a day and a week, or for four times the longest access token', () => {
    const keeps = (maxAccessTtl: number) =>
      wantedTopics(new KafkaEnvironment(), maxAccessTtl).map(
        ({ configs }) => configs.find(({ name }) => name === 'retention.ms')?.value,
      );
    expect(keeps(TTL)).toEqual(['86400000', '604800000']);
    expect(keeps(86_400_000)).toEqual(['345600000', '604800000']);
  });
});

describe('aclLines', () => {
  it('quotes what a shell would take apart', () => {
    const grants = topicAcls({
      relayPrincipal: "User:CN=o'relay, O=x",
      nodePrincipal: 'User:node',
      nodeGroupPrefix: 'curfew-',
      revocationsTopic: 'r',
      sessionEventsTopic: 's',
    });
    expect(aclLines(grants, '[::1]:9092')).toEqual([
      `kafka-acls.sh --bootstrap-server '[::1]:9092' --command-config admin.properties --add --allow-principal 'User:CN=o'\\''relay, O=x' --operation Write --operation Describe --operation DescribeConfigs --topic r`,
      `kafka-acls.sh --bootstrap-server '[::1]:9092' --command-config admin.properties --add --allow-principal 'User:CN=o'\\''relay, O=x' --operation Write --operation Describe --operation DescribeConfigs --topic s`,
      `kafka-acls.sh --bootstrap-server '[::1]:9092' --command-config admin.properties --add --allow-principal User:node --operation Read --operation Describe --topic r`,
      `kafka-acls.sh --bootstrap-server '[::1]:9092' --command-config admin.properties --add --allow-principal User:node --operation Read --group curfew- --resource-pattern-type prefixed`,
    ]);
  });
});
