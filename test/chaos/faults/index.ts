import type { Fault } from '../fault.js';
import { nodeClockMoved, serviceClockMoved } from './clocks-moved.js';
import { nodeCutOffFromService } from './node-cut-off-from-service.js';
import { nodePaused } from './node-paused.js';
import { oldTransaction } from './old-transaction.js';
import { postgresKilled } from './postgres-killed.js';
import { postgresPaused } from './postgres-paused.js';
import { postgresSessionsEnded } from './postgres-sessions-ended.js';
import { serviceCutOffFromPostgres } from './service-cut-off-from-postgres.js';
import { serviceKilled } from './service-killed.js';
import { servicePaused } from './service-paused.js';
import { servicesRestarted } from './services-restarted.js';
import { slowNetwork } from './slow-network.js';

/** What the schedule draws from. */
export const FAULTS: readonly Fault[] = [
  serviceKilled,
  servicePaused,
  servicesRestarted,
  serviceCutOffFromPostgres,
  serviceClockMoved,
  postgresPaused,
  postgresKilled,
  postgresSessionsEnded,
  oldTransaction,
  nodePaused,
  nodeCutOffFromService,
  nodeClockMoved,
  slowNetwork,
];
