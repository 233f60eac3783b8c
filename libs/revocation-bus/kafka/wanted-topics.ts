import { durability, type KafkaEnvironment } from './kafka-environment.js';

const DAY_MS = 86_400_000;
const DEFAULT_LANES = 4;
/** Kafka's own default: room for one batch of the relay many times over. */
const MAX_MESSAGE_BYTES = 1_048_588;

/** One configuration of a topic. */
interface WantedConfig {
  readonly name: string;
  /** What a new topic gets. */
  readonly value: string;
  /** What an existing one must have, for people. */
  readonly mustBe: string;
  readonly accepts: (value: string) => boolean;
}

export interface WantedTopic {
  readonly name: string;
  /** For a new topic. */
  readonly partitions: number;
  /** An existing one must have exactly as many. Else any number will do. */
  readonly partitionsAreFixed: boolean;
  /** Copies, at least. */
  readonly replication: number;
  readonly configs: readonly WantedConfig[];
  /** Of a new topic; an existing one may have others. */
  readonly extras: Readonly<Record<string, string>>;
}

const exactly = (name: string, value: string): WantedConfig => ({
  name,
  value,
  mustBe: value,
  accepts: (is) => is === value,
});

const atLeast = (name: string, least: number, value = least): WantedConfig => ({
  name,
  value: String(value),
  mustBe: `at least ${least}`,
  accepts: (is) => Number(is) >= least,
});

/** -1 keeps records for ever. */
const retention = (least: number, value: number): WantedConfig => ({
  name: 'retention.ms',
  value: String(value),
  mustBe: `at least ${least} (4 times CURFEW_MAX_ACCESS_TTL), or -1`,
  accepts: (is) => is === '-1' || Number(is) >= least,
});

/**
 * What the topics must be like (DESIGN §7). Nodes find their replay by the records' own timestamps, hence CreateTime; a leader
 * that lacks acknowledged records would lose revocations, hence no unclean election.
 * @param maxAccessTtl milliseconds
 */
export function wantedTopics(
  env: KafkaEnvironment & { readonly NODE_ENV?: string },
  maxAccessTtl: number,
): readonly [revocations: WantedTopic, sessionEvents: WantedTopic] {
  const { replication, minIsr } = durability(env);
  const partitions = env.CURFEW_KAFKA_LANES ?? DEFAULT_LANES;
  const least = 4 * maxAccessTtl;
  const configs = (retentionMs: number): WantedConfig[] => [
    exactly('cleanup.policy', 'delete'),
    retention(least, Math.max(least, retentionMs)),
    atLeast('min.insync.replicas', minIsr),
    exactly('unclean.leader.election.enable', 'false'),
    exactly('message.timestamp.type', 'CreateTime'),
    atLeast('max.message.bytes', MAX_MESSAGE_BYTES),
  ];
  return [
    {
      name: env.CURFEW_KAFKA_REVOCATIONS_TOPIC,
      partitions,
      partitionsAreFixed: env.CURFEW_KAFKA_LANES !== undefined,
      replication,
      // A limit in bytes could drop what a starting node has to replay, and it would not know.
      configs: [...configs(DAY_MS), exactly('retention.bytes', '-1')],
      // Only whole segments are dropped, and heartbeats keep the last one young.
      extras: { 'segment.ms': '3600000' },
    },
    {
      name: env.CURFEW_KAFKA_SESSION_EVENTS_TOPIC,
      partitions,
      partitionsAreFixed: false,
      replication,
      configs: configs(7 * DAY_MS),
      extras: {},
    },
  ];
}
