import { Logger } from '@nestjs/common';
import { isCurfewError } from '#contracts';
import {
  openKafka,
  openKafkaLanePublisher,
  readKafkaConnection,
  RelayRole,
  systemTimers,
  TopicGate,
  wantedTopics,
  type KafkaLog,
  type RelayNews,
  type RelayRoleStats,
} from '#revocation-bus';
import type { Environment } from './config/environment.js';
import type { MetricSource } from './metrics/metrics.js';
import type { Storage } from './storage.js';
import type { UndoList } from './undo-list.js';

/** `ce_source` of what is published: the installation, by its issuer. */
const sourceOf = (issuer: string): string => `/curfew/${encodeURIComponent(issuer)}`;
/** A start waits no longer for a broker that is away. */
const TOPICS_PATIENCE_MS = 3_000;
/** A broker that is away is told of at the first failure and then at every tenth. */
const TOLD_EVERY = 10;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');

function tell(logger: Logger, news: RelayNews): void {
  switch (news.kind) {
    case 'leads':
      logger.log(
        `leads: incarnation ${news.incarnation}, stream ${news.streamId}, ${news.lanes} lanes; republishes first`,
      );
      return;
    case 'led':
      logger.log(`leads no longer: incarnation ${news.incarnation}, ${news.why}`);
      return;
    case 'follower':
      logger.warn(`${news.alarm.kind}, ${news.alarm.failures} in a row: ${textOf(news.alarm.error)}`);
      return;
    default:
      // The gate has told it.
      if (isCurfewError(news.error, 'ERR_KAFKA_TOPIC_REFUSED')) return;
      if (news.failures % TOLD_EVERY === 1)
        logger.warn(`${news.kind}, ${news.failures} in a row: ${textOf(news.error)}`);
  }
}

/**
 * Starts the role `relay` where it is set. Waits for the brokers' word on the topics, 3 s at most, and not for the lock. A broker
 * that is away stops nothing: the topics are checked when it is first reached, and nothing is published until they are right.
 * @throws CurfewError ERR_CONFIG for files that cannot be read, ERR_KAFKA_TOPIC_REFUSED
 */
export async function openRelay(
  env: Environment,
  { databaseUrl, log }: Pick<Storage, 'databaseUrl' | 'log'>,
  undo: UndoList,
): Promise<readonly MetricSource[]> {
  const connection = await readKafkaConnection(env, 'curfew-relay');
  if (connection === undefined || env.CURFEW_RELAY === false) return [];
  const logger = new Logger('relay');
  // The client says the same thing at every attempt; what matters is told by the role.
  const kafkaLog: KafkaLog = (_level, message) => logger.debug(message);
  const kafka = openKafka(connection, kafkaLog);
  const gate = new TopicGate({
    kafka,
    wanted: wantedTopics(env, env.CURFEW_MAX_ACCESS_TTL),
    timers: systemTimers,
    onRefused: ({ code, message }) => logger.error(`${code}: ${message}`),
  });
  if (!(await gate.passWithin(TOPICS_PATIENCE_MS)))
    logger.warn('no broker answers yet: the topics are checked when one does');
  const role = new RelayRole({
    databaseUrl,
    timers: systemTimers,
    open: gate.guard(openKafkaLanePublisher(kafka, env.CURFEW_KAFKA_REVOCATIONS_TOPIC)),
    openLog: log.openRelayLog,
    maxAccessTtl: env.CURFEW_MAX_ACCESS_TTL,
    heartbeatEveryMs: env.CURFEW_KAFKA_HEARTBEAT,
    source: sourceOf(env.CURFEW_ISSUER),
    onNews: (news) => tell(logger, news),
  });
  role.start();
  undo.add(() => role.stop());
  return [...relayMetrics(() => role.stats()), topicMetric(gate)];
}

const topicMetric = (gate: TopicGate): MetricSource => ({
  name: 'curfew_relay_topic_findings',
  help: 'What is wrong with the topics, by the last check that a broker answered; nothing is published while it is not 0.',
  type: 'gauge',
  collect: () => [{ labels: {}, value: gate.findings.length }],
});

function relayMetrics(stats: () => RelayRoleStats): MetricSource[] {
  const metric = (
    name: string,
    type: MetricSource['type'],
    help: string,
    valueOf: (stats: RelayRoleStats) => number | undefined,
  ): MetricSource => ({
    name,
    help,
    type,
    collect: () => {
      const value = valueOf(stats());
      return value === undefined ? [] : [{ labels: {}, value }];
    },
  });
  return [
    metric('curfew_relay_leader', 'gauge', '1 while this instance publishes to Kafka.', ({ leader }) =>
      leader ? 1 : 0,
    ),
    metric(
      'curfew_relay_incarnation',
      'gauge',
      'Of this instance’s leadership, while it has one.',
      ({ incarnation }) => incarnation,
    ),
    metric(
      'curfew_relay_revocations_total',
      'counter',
      'Revocations that the broker acknowledged, those published again by a new leadership included.',
      ({ revocations }) => revocations,
    ),
    metric(
      'curfew_relay_heartbeats_total',
      'counter',
      'Barriers whose heartbeats the broker acknowledged on every lane.',
      ({ heartbeats }) => heartbeats,
    ),
    metric(
      'curfew_relay_produce_failures_total',
      'counter',
      'Produces to the revocations topic that failed or were late.',
      ({ failures }) => failures,
    ),
    metric(
      'curfew_relay_lag_revocations',
      'gauge',
      'Revocations that the leader has read and the broker has not acknowledged.',
      ({ leader, behind }) => (leader ? behind : undefined),
    ),
    metric(
      'curfew_relay_heartbeat_age_seconds',
      'gauge',
      'Since the last acknowledged heartbeat of this leadership.',
      ({ heartbeatAgeMs }) => (heartbeatAgeMs === undefined ? undefined : heartbeatAgeMs / 1_000),
    ),
  ];
}
