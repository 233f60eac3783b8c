import type { Fault } from '../fault.js';
import { brokerKilled } from './broker-killed.js';
import { brokerPaused } from './broker-paused.js';
import { nodeCutOffFromBoth, nodeCutOffFromBroker, serviceCutOffFromBroker } from './cut-off-from-broker.js';
import { recordsRepeated } from './records-repeated.js';
import { relayKilled } from './relay-killed.js';
import { topicRecreated, topicTruncated } from './topic-lost.js';
import { twoRelays } from './two-relays.js';
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
  brokerKilled,
  brokerPaused,
  relayKilled,
  twoRelays,
  nodeCutOffFromBroker,
  nodeCutOffFromBoth,
  serviceCutOffFromBroker,
  recordsRepeated,
  topicTruncated,
  topicRecreated,
];
