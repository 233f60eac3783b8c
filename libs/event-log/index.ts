export type { EventLogAlarm, HeldHorizon, OnAlarm } from './alarm.js';
export { isPosition as isPostgresPosition } from './position.js';
export type { InlineProjection } from './postgres/append-batch.js';
export { AppendSignals } from './postgres/append-signals.js';
export { HorizonWatch, type HorizonStats, type HorizonWatchOptions } from './postgres/horizon-watch.js';
export { PostgresEventLog, type PostgresEventLogOptions } from './postgres/postgres-event-log.js';
export { PostgresLogMeasure } from './postgres/postgres-log-measure.js';
export {
  PostgresRevocationLog,
  type PostgresRevocationLogOptions,
} from './postgres/postgres-revocation-log.js';
export {
  PostgresSnapshots,
  type PostgresSnapshotsOptions,
  type SnapshotStats,
} from './postgres/postgres-snapshots.js';
export { refuseAnotherLogStore, type LogStoreKind } from './log-store.js';
export { CheckedEventLog } from './checked/checked-event-log.js';
export { CheckedRevocationLog } from './checked/checked-revocation-log.js';
export { eventLogMigrations } from './postgres/schema.js';
export { MemoryEventLog, type OpenTransaction } from './memory/memory-event-log.js';
export { MemoryBarriers, MemoryRevocationLog } from './memory/memory-revocation-log.js';
export {
  KurrentEventLog,
  type KurrentEventLogOptions,
  type Snapshots,
} from './kurrentdb/kurrent-event-log.js';
export {
  KurrentRevocationLog,
  type KurrentRevocationLogOptions,
} from './kurrentdb/kurrent-revocation-log.js';
export { KurrentLogMeasure } from './kurrentdb/kurrent-log-measure.js';
export { isPosition as isKurrentPosition } from './kurrentdb/kurrent-position.js';
export { kurrentdbMigrations } from './kurrentdb/schema.js';
