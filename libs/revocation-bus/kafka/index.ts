export { openKafka, readKafkaConnection, type KafkaConnection, type KafkaLog } from './connection.js';
export { prepareTopics, type PreparedTopics } from './create-topics.js';
export { KafkaEnvironment, kafkaRelations } from './kafka-environment.js';
export { aclLines, topicAcls } from './topic-acls.js';
export { checkTopics, describeFinding, topicsRefused, type TopicFinding } from './topics.js';
export { wantedTopics, type WantedTopic } from './wanted-topics.js';
