import { Logger } from '@nestjs/common';
import { isCurfewError } from '#contracts';
import {
  openKafka,
  openKafkaEventsProducer,
  openKafkaLanePublisher,
  readKafkaConnection,
  RelayRole,
  SessionEvents,
  systemTimers,
  TopicGate,
  wantedTopics,
  type KafkaLog,
  type RelayNews,
} from '#revocation-bus';
import type { Environment } from './config/environment.js';
import type { MetricSource } from './metrics/metrics.js';
import { relayMetrics } from './metrics/relay-metrics.js';
import type { Storage } from './storage.js';
import type { UndoList } from './undo-list.js';

/** `ce_source` of what is published: the installation, by its issuer. */
const sourceOf = (issuer: string): string => `/curfew/${encodeURIComponent(issuer)}`;
/** A start waits no longer for a broker that is away. */
const TOPICS_PATIENCE_MS = 3_000;
/** A broker that is away is told of at the first failure and then at every tenth. */
const TOLD_EVERY = 10;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');

type News =
  RelayNews | { readonly kind: 'session-events-failed'; readonly error: unknown; readonly failures: number };

function tell(logger: Logger, news: News): void {
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
  const source = sourceOf(env.CURFEW_ISSUER);
  const events = new SessionEvents({
    log: log.storedLog,
    timers: systemTimers,
    open: openKafkaEventsProducer(kafka, env.CURFEW_KAFKA_SESSION_EVENTS_TOPIC),
    source,
    onFailure: (error, failures) => {
      tell(logger, { kind: 'session-events-failed', error, failures });
    },
  });
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
    source,
    beside: (...leadership) => events.besideTheRelay(...leadership),
    onNews: (news) => tell(logger, news),
  });
  role.start();
  undo.add(() => role.stop());
  return relayMetrics({ role, events, gate, measure: log.measure });
}
