export type { InlineProjection } from './postgres/append-batch.js';
export { AppendSignals } from './postgres/append-signals.js';
export { PostgresEventLog, type PostgresEventLogOptions } from './postgres/postgres-event-log.js';
export {
  PostgresRevocationLog,
  type PostgresRevocationLogOptions,
} from './postgres/postgres-revocation-log.js';
export { eventLogMigrations } from './postgres/schema.js';
export { MemoryEventLog, type OpenTransaction } from './memory/memory-event-log.js';
export { MemoryBarriers, MemoryRevocationLog } from './memory/memory-revocation-log.js';
