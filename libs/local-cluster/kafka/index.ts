export type * from './kafka-cluster.js';
export { findKafka, startKafka } from './find-kafka.js';
