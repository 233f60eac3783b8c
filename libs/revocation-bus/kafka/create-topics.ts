import kafkajs, { type Admin } from 'kafkajs';
import { checkTopics, type TopicFinding } from './topics.js';
import type { WantedTopic } from './wanted-topics.js';

/** `ConfigSource.TOPIC_CONFIG`, which kafkajs declares and does not export. */
const SET_ON_THE_TOPIC = 1;
const SETTLING_MS = 5_000;
const LOOK_EVERY_MS = 200;

export interface PreparedTopics {
  readonly created: readonly string[];
  readonly altered: readonly string[];
  /** What is wrong still. */
  readonly findings: readonly TopicFinding[];
}

const entriesOf = (configs: Iterable<readonly [string, string]>) =>
  [...configs].map(([name, value]) => ({ name, value }));

async function create(admin: Admin, topics: readonly WantedTopic[]): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map(({ name, partitions, replication, configs, extras }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: entriesOf([
        ...configs.map((config): [string, string] => [config.name, config.value]),
        ...Object.entries(extras),
      ]),
    })),
  });
}

/** The request replaces everything that was set on the topic, so what was there goes with it. */
async function alter(
  admin: Admin,
  { name, configs }: WantedTopic,
  wrong: ReadonlySet<string>,
): Promise<void> {
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  const set = resources
    .flatMap(({ configEntries }) => configEntries)
    .filter(({ configSource }) => Number(configSource) === SET_ON_THE_TOPIC)
    .map(({ configName, configValue }): [string, string] => [configName, configValue]);
  const mended = configs
    .filter((config) => wrong.has(config.name))
    .map((config): [string, string] => [config.name, config.value]);
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: entriesOf(new Map([...set, ...mended])) }],
  });
}

/** Brokers hear of a change one after the other. */
async function settled(admin: Admin, wanted: readonly WantedTopic[], expected: number) {
  const end = performance.now() + SETTLING_MS;
  for (;;) {
    const findings = await checkTopics(admin, wanted);
    if (findings.length <= expected || performance.now() >= end) return findings;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/**
 * Creates the topics that are missing and checks the others, which it leaves as they are unless told to alter them: then each
 * configuration that is wrong gets the value of a new topic, and nothing else is touched. Partitions and copies are never changed.
 * May be called again at any time.
 * @throws what kafkajs throws when the brokers refuse or cannot be reached
 */
export async function prepareTopics(
  admin: Admin,
  wanted: readonly WantedTopic[],
  { alter: mayAlter }: { readonly alter: boolean },
): Promise<PreparedTopics> {
  const before = await checkTopics(admin, wanted);
  const wrongOf = ({ name }: WantedTopic, settings: readonly string[]) =>
    before.filter(({ topic, setting }) => topic === name && settings.includes(setting));
  const missing = wanted.filter((topic) => wrongOf(topic, ['existence']).length > 0);
  if (missing.length > 0) await create(admin, missing);
  const altered: WantedTopic[] = [];
  let mended = missing.length;
  for (const topic of mayAlter ? wanted : []) {
    const wrong = wrongOf(
      topic,
      topic.configs.map(({ name }) => name),
    );
    if (wrong.length === 0) continue;
    await alter(admin, topic, new Set(wrong.map(({ setting }) => setting)));
    altered.push(topic);
    mended += wrong.length;
  }
  return {
    created: missing.map(({ name }) => name),
    altered: altered.map(({ name }) => name),
    findings: mended === 0 ? before : await settled(admin, wanted, before.length - mended),
  };
}
