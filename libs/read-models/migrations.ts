import type { Migration } from '#platform';
import { countersMigrations } from './counters/counters-schema.js';
import { nodeReportsMigrations } from './nodes/node-reports-schema.js';
import { projectionMigrations } from './projections/schema.js';
import { securityFeedMigrations } from './security-feed/security-feed-schema.js';
import { sessionViewsMigrations } from './sessions/session-views-schema.js';

/** Everything that the read models need, in the order of their ids. Run after `eventLogMigrations`. */
export const readModelMigrations: readonly Migration[] = [
  ...projectionMigrations,
  ...sessionViewsMigrations,
  ...securityFeedMigrations,
  ...countersMigrations,
  ...nodeReportsMigrations,
].sort((a, b) => (a.id < b.id ? -1 : 1));
