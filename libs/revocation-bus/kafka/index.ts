export { BacklogRevocationLog } from './backlog-revocation-log.js';
export { openKafka, readKafkaConnection, type KafkaConnection, type KafkaLog } from './connection.js';
export { KafkaEnvironment, kafkaRelations } from './kafka-environment.js';
export { openKafkaLanePublisher } from './kafka-lane-publisher.js';
export { PostgresRevocationStream } from './postgres-revocation-stream.js';
export { RelayRole, type OpenRelayLog, type RelayNews, type RelayRoleStats } from './relay-role.js';
export { relayMigrations } from './schema.js';
