import { Logger } from '@nestjs/common';
import type pg from 'pg';
import type { ProjectionName } from '#application';
import { openPool } from '#platform';
import {
  countersProjection,
  PostgresCounters,
  PostgresProjections,
  PostgresSecurityFeed,
  PostgresSessionViews,
  PostgresViewFreshness,
  ProjectionRunner,
  securityFeedProjection,
  sessionsProjection,
  type ProjectionDefinition,
} from '#read-models';
import type { MetricSource } from './metrics/metrics.js';
import type { Database, OpenLog } from './open-log.js';
import type { UndoList } from './undo-list.js';

const DEFINITIONS: readonly ProjectionDefinition[] = [
  sessionsProjection,
  securityFeedProjection,
  countersProjection,
];
/** Two a projection: one follows, one rebuilds. */
const PROJECTOR_POOL_SIZE = 2 * DEFINITIONS.length;
const PROJECTOR_STATEMENT_TIMEOUT_MS = 30_000;
const PROJECTOR_TRANSACTION_TIMEOUT_MS = 60_000;

/** The views, what keeps them, and what waits for them. */
export interface ReadModels {
  readonly sessionViews: PostgresSessionViews;
  readonly securityFeed: PostgresSecurityFeed;
  readonly counters: PostgresCounters;
  readonly projections: PostgresProjections;
  readonly viewFreshness: PostgresViewFreshness;
  readonly metrics: readonly MetricSource[];
}

/** @param projects whether this instance keeps and rebuilds projections (the role `projector`) */
export function openReadModels(
  log: OpenLog,
  { url, pool }: Database,
  projects: boolean,
  undo: UndoList,
): ReadModels {
  const { storedLog, measure, inline, isPosition } = log;
  const runner = projects ? startRunner(log, url, undo) : undefined;
  const projections = new PostgresProjections({
    pool,
    log: storedLog,
    measure,
    ...(inline && { inline }),
    definitions: DEFINITIONS,
    ...(runner && { wake: () => runner.wake() }),
  });
  const viewFreshness = new PostgresViewFreshness({
    pool,
    isPosition,
    ...(inline && {
      inline: {
        views: DEFINITIONS.filter((definition) => definition.inline).map(({ name }): ProjectionName => name),
        isCommitted: (position) => inline.isCommitted(position),
      },
    }),
    ...(runner && { onCommitted: (wake: () => void) => runner.onCommitted(wake) }),
  });
  return {
    sessionViews: new PostgresSessionViews(pool),
    securityFeed: new PostgresSecurityFeed(pool),
    counters: new PostgresCounters(pool),
    projections,
    viewFreshness,
    metrics: projectionMetrics(projections),
  };
}

function startRunner({ storedLog, measure, inline }: OpenLog, url: string, undo: UndoList): ProjectionRunner {
  const logger = new Logger('projections');
  const pool: pg.Pool = openPool(url, {
    applicationName: 'curfew-projector',
    max: PROJECTOR_POOL_SIZE,
    statementTimeoutMs: PROJECTOR_STATEMENT_TIMEOUT_MS,
    transactionTimeoutMs: PROJECTOR_TRANSACTION_TIMEOUT_MS,
    onIdleError: (error) => {
      if (!pool.ending) logger.warn(`an idle connection broke: ${error.message}`);
    },
  });
  undo.add(() => pool.end());
  const runner = new ProjectionRunner({
    pool,
    log: storedLog,
    measure,
    ...(inline && { inline }),
    definitions: DEFINITIONS,
    onAlarm: ({ kind, name, version, error, failures }) => {
      const text = `${name} v${version}: ${kind}, ${failures} in a row: ${error}`;
      if (kind === 'paused' || kind === 'rebuild-failed') logger.error(text);
      else logger.warn(text);
    },
  });
  runner.start();
  undo.add(() => runner.stop());
  return runner;
}

type Status = Awaited<ReturnType<PostgresProjections['status']>>[number];

function projectionMetrics(projections: PostgresProjections): MetricSource[] {
  // The gauges of one scrape share one look.
  let looking: Promise<readonly Status[]> | undefined;
  const look = (): Promise<readonly Status[]> =>
    (looking ??= projections.status().finally(() => (looking = undefined)));
  const gauge = (name: string, help: string, valueOf: (status: Status) => number): MetricSource => ({
    name,
    help,
    type: 'gauge',
    collect: async () =>
      (await look()).map((status) => ({ labels: { projection: status.name }, value: valueOf(status) })),
  });
  return [
    gauge(
      'curfew_projection_lag_seconds',
      'How far a read model is behind the log, by the recorded-at of events.',
      ({ lagMs }) => lagMs / 1_000,
    ),
    gauge(
      'curfew_projection_lag_events',
      'Events that a read model has not taken in, counted up to 100,000.',
      ({ lagEvents }) => lagEvents,
    ),
    gauge(
      'curfew_projection_paused',
      '1 while a read model stands at an event that it cannot apply.',
      ({ state }) => (state === 'paused' ? 1 : 0),
    ),
  ];
}
