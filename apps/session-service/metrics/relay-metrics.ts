import type { LogMeasure } from '#read-models';
import type {
  RelayRole,
  RelayRoleStats,
  SessionEvents,
  SessionEventsStats,
  TopicGate,
} from '#revocation-bus';
import type { MetricSource } from './metrics.js';

interface Measured {
  readonly role: Pick<RelayRole, 'stats'>;
  readonly events: Pick<SessionEvents, 'stats'>;
  readonly gate: Pick<TopicGate, 'findings'>;
  readonly measure: LogMeasure;
}

export const relayMetrics = ({ role, events, gate, measure }: Measured): MetricSource[] => [
  ...roleMetrics(() => role.stats()),
  ...eventMetrics(measure, () => events.stats()),
  topicMetric(gate),
];

function roleMetrics(stats: () => RelayRoleStats): MetricSource[] {
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

const MOST_COUNTED = 100_000;

const eventMetrics = (measure: LogMeasure, stats: () => SessionEventsStats): MetricSource[] => [
  {
    name: 'curfew_relay_session_events_total',
    help: 'Session events that the broker acknowledged.',
    type: 'counter',
    collect: () => [{ labels: {}, value: stats().published }],
  },
  {
    name: 'curfew_relay_session_events_failures_total',
    help: 'Produces to the session-events topic that failed or were late.',
    type: 'counter',
    collect: () => [{ labels: {}, value: stats().failures }],
  },
  {
    name: 'curfew_relay_lag_events',
    help: 'Events that the session-events topic does not have, counted up to 100,000.',
    type: 'gauge',
    collect: async () => {
      const { position } = stats();
      if (position === undefined) return [];
      return [{ labels: {}, value: await measure.countAfter(position, MOST_COUNTED) }];
    },
  },
];

const topicMetric = (gate: Pick<TopicGate, 'findings'>): MetricSource => ({
  name: 'curfew_relay_topic_findings',
  help: 'What is wrong with the topics, by the last check that a broker answered; nothing is published while it is not 0.',
  type: 'gauge',
  collect: () => [{ labels: {}, value: gate.findings.length }],
});
