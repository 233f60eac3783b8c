import type { ReferenceClock } from '#application';
import type { NodeRegistry, RevocationFollower, WatchHub } from '#revocation-bus';
import type { MetricSource } from './metrics.js';

type Followed = Pick<RevocationFollower, 'stats'>;
type Watched = Pick<WatchHub, 'stats'>;
type Reporting = Pick<NodeRegistry, 'stats'>;

const one =
  (type: MetricSource['type']) =>
  (name: string, help: string, valueOf: () => number): MetricSource => ({
    name,
    help,
    type,
    collect: () => {
      const value = valueOf();
      // A barrier that has never been answered has no age.
      return Number.isFinite(value) ? [{ labels: {}, value }] : [];
    },
  });
const gauge = one('gauge');
const counter = one('counter');

/** What the revocation follower has read and how old its knowledge is. */
const followerMetrics = (follower: Followed, clock: Pick<ReferenceClock, 'barrierAge'>): MetricSource[] => [
  gauge(
    'curfew_revocation_barrier_age_seconds',
    'Time since the last answered barrier began. Above the bound, the nodes of this instance are stale.',
    () => clock.barrierAge() / 1_000,
  ),
  counter('curfew_revocation_barriers_total', 'Answered barriers.', () => follower.stats().barriers),
  counter('curfew_revocation_reads_total', 'Reads of the log beside barriers.', () => follower.stats().reads),
  counter(
    'curfew_revocation_failures_total',
    'Barriers and reads that failed.',
    () => follower.stats().failures,
  ),
  counter('curfew_revocations_total', 'Revocations read.', () => follower.stats().revocations),
  gauge(
    'curfew_revocations_remembered',
    'Revocations in memory: what a node without a cursor gets replayed.',
    () => follower.stats().remembered,
  ),
];

/** Who watches, and who was cut. */
const watchMetrics = (hub: Watched): MetricSource[] => [
  gauge('curfew_watch_subscribers', 'Open Watch streams.', () => hub.stats().subscribers),
  gauge(
    'curfew_watch_blocked',
    'Watch streams that take no messages at the moment.',
    () => hub.stats().blocked,
  ),
  gauge(
    'curfew_watch_behind',
    'Revocations that the slowest Watch stream has yet to get.',
    () => hub.stats().maxBehind,
  ),
  counter('curfew_watch_opened_total', 'Watch streams since the start.', () => hub.stats().subscribed),
  {
    name: 'curfew_watch_cut_total',
    help: 'Watch streams that this instance ended, by reason.',
    type: 'counter',
    collect: () => Object.entries(hub.stats().cut).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  counter('curfew_watch_renewals_total', 'Renewals that nodes asked for.', () => hub.stats().renewals),
  counter(
    'curfew_watch_answered_total',
    'Renewals answered. Lower than those asked for where a node asks twice in one barrier.',
    () => hub.stats().answered,
  ),
];

/** Who reports what it has applied, for receipts. */
const receiptMetrics = (nodes: Reporting): MetricSource[] => [
  gauge(
    'curfew_nodes_reporting',
    'Nodes that this instance heard from in the last two minutes.',
    () => nodes.stats().nodes,
  ),
  gauge(
    'curfew_receipts_awaited',
    'Revocations whose receipt somebody waits for here.',
    () => nodes.stats().awaited,
  ),
  counter(
    'curfew_node_report_failures_total',
    'Writes of node reports that failed. Until one succeeds, receipts at other instances call these nodes outstanding.',
    () => nodes.stats().failures,
  ),
];

/** The way of a revocation through this instance. Cost of a scrape: one walk over the Watch streams for each metric. */
export const revocationMetrics = (
  follower: Followed,
  hub: Watched,
  nodes: Reporting,
  clock: Pick<ReferenceClock, 'barrierAge'>,
): MetricSource[] => [...followerMetrics(follower, clock), ...watchMetrics(hub), ...receiptMetrics(nodes)];
