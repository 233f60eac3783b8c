export { openKafka, readKafkaConnection, type KafkaConnection, type KafkaLog } from './connection.js';
export { KafkaEnvironment, kafkaRelations } from './kafka-environment.js';
