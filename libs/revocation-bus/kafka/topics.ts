// Not every name of this CommonJS module can be imported by itself.
import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs';
import { CurfewError } from '#contracts';
import type { WantedTopic } from './wanted-topics.js';

/** One thing that is wrong with a topic. */
export interface TopicFinding {
  readonly topic: string;
  /** A configuration of the topic by its name, `partitions`, `replication`, `existence` or `permission`. */
  readonly setting: string;
  readonly is: string;
  readonly mustBe: string;
  /** The command, or what to do where no single command does it. */
  readonly mend: string;
}

/** One line for people. */
export const describeFinding = ({ topic, setting, is, mustBe, mend }: TopicFinding): string =>
  `${topic}: ${setting} is ${is}, must be ${mustBe}. Mend: ${mend}`;

/** The error of topics that are not as they must be: a line for each finding. */
export const topicsRefused = (findings: readonly TopicFinding[]): CurfewError<'ERR_KAFKA_TOPIC_REFUSED'> =>
  new CurfewError('ERR_KAFKA_TOPIC_REFUSED', { detail: findings.map(describeFinding).join('\n') });

type Read<T> = { readonly found: T } | { readonly finding: TopicFinding };

const typeOf = (error: unknown): unknown => {
  const { type, cause } = error as { type?: unknown; cause?: unknown };
  return type ?? (cause as { type?: unknown } | undefined)?.type;
};

/** What the broker answers for one topic; anything that is not about the topic is thrown on. */
async function ask<T>(topic: string, operation: string, answer: Promise<T>): Promise<Read<T>> {
  try {
    return { found: await answer };
  } catch (error) {
    const type = typeOf(error);
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION')
      return {
        finding: {
          topic,
          setting: 'existence',
          is: 'missing',
          mustBe: 'there',
          mend: 'curfew topics create',
        },
      };
    if (type !== 'TOPIC_AUTHORIZATION_FAILED') throw error;
    const mend = 'run the kafka-acls.sh lines that curfew topics create prints';
    return { finding: { topic, setting: 'permission', is: `no ${operation}`, mustBe: operation, mend } };
  }
}

function shapeFindings(wanted: WantedTopic, { partitions }: ITopicMetadata): TopicFinding[] {
  const { name: topic, replication } = wanted;
  const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
  const findings: TopicFinding[] = [];
  if (wanted.partitionsAreFixed && partitions.length !== wanted.partitions)
    findings.push({
      topic,
      setting: 'partitions',
      is: String(partitions.length),
      mustBe: `${wanted.partitions} (CURFEW_KAFKA_LANES)`,
      mend:
        partitions.length < wanted.partitions
          ? `kafka-topics.sh --alter --topic ${topic} --partitions ${wanted.partitions}`
          : `set CURFEW_KAFKA_LANES=${partitions.length}`,
    });
  if (copies < replication)
    findings.push({
      topic,
      setting: 'replication',
      is: String(copies),
      mustBe: `at least ${replication}`,
      mend: `kafka-reassign-partitions.sh, or, where that many copies cannot be, CURFEW_KAFKA_REPLICATION=${copies}`,
    });
  return findings;
}

function configFindings(
  { name: topic, configs }: WantedTopic,
  is: ReadonlyMap<string, string>,
): TopicFinding[] {
  return configs
    .filter(({ name, accepts }) => !accepts(is.get(name) ?? ''))
    .map(({ name, mustBe }) => ({
      topic,
      setting: name,
      is: is.get(name) ?? 'not told by the broker',
      mustBe,
      mend: 'curfew topics create --alter',
    }));
}

/** More in-sync copies asked for than there are: nothing could ever be written. */
function unwritable(topic: string, copies: number, minIsr: number): TopicFinding[] {
  if (!(minIsr > copies)) return [];
  const mend = `kafka-configs.sh --alter --topic ${topic} --add-config min.insync.replicas=${copies}, or more copies`;
  return [
    {
      topic,
      setting: 'min.insync.replicas',
      is: String(minIsr),
      mustBe: `at most ${copies}, its copies`,
      mend,
    },
  ];
}

async function checkTopic(admin: Admin, wanted: WantedTopic): Promise<readonly TopicFinding[]> {
  const { name: topic } = wanted;
  const metadata = await ask(topic, 'Describe', admin.fetchTopicMetadata({ topics: [topic] }));
  if ('finding' in metadata) return [metadata.finding];
  const shape = metadata.found.topics[0]!;
  const configNames = wanted.configs.map(({ name }) => name);
  const described = await ask(
    topic,
    'DescribeConfigs',
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames }],
    }),
  );
  if ('finding' in described) return [...shapeFindings(wanted, shape), described.finding];
  const entries = described.found.resources.flatMap(({ configEntries }) => configEntries);
  const configs = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
  const copies = Math.min(...shape.partitions.map(({ replicas }) => replicas.length));
  return [
    ...shapeFindings(wanted, shape),
    ...configFindings(wanted, configs),
    ...unwritable(topic, copies, Number(configs.get('min.insync.replicas'))),
  ];
}

/**
 * Compares the topics with what they must be like. Two short requests a topic; creates and changes nothing.
 * @returns everything that is wrong; nothing when all is well
 * @throws what kafkajs throws when the brokers cannot be asked
 */
export async function checkTopics(
  admin: Admin,
  wanted: readonly WantedTopic[],
): Promise<readonly TopicFinding[]> {
  const findings: TopicFinding[] = [];
  for (const topic of wanted) findings.push(...(await checkTopic(admin, topic)));
  return findings;
}
