export { PostgresProjections, type PostgresProjectionsOptions } from './postgres-projections.js';
export { PostgresViewFreshness, type PostgresViewFreshnessOptions } from './postgres-view-freshness.js';
export type { ProjectionClient, ProjectionDefinition } from './projection.js';
export { ProjectionRunner, type ProjectionRunnerOptions, type ProjectionStats } from './projection-runner.js';
export type { InlineLog, LogMeasure, ProjectionAlarm, ProjectionLog, ProjectionTiming } from './runtime.js';
export { projectionMigrations } from './schema.js';
