export { kafkaRevocations } from './kafka-revocations.js';
export type {
  KafkaDiagnostic,
  KafkaDiagnosticKind,
  KafkaRevocations,
  KafkaRevocationsOptions,
  KafkaSourceStats,
} from './kafka-revocations.types.js';
