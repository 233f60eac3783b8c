import type { Kafka, KafkaConfig } from 'kafkajs';
import type { RevocationSource } from '../core/revocation-source.js';

export interface KafkaRevocationsOptions {
  /**
   * How to reach the brokers: the configuration of a kafkajs client, or a client of your own. With a configuration, what does
   * not answer at the end is cut off after 2 s; a client's connections are its own, and end when kafkajs ends them.
   */
  readonly kafka: KafkaConfig | Kafka;
  /** `curfew.revocations.v1` if absent. */
  readonly topic?: string;
  /** Consumer groups are named `<groupPrefix><nodeId>-<random>`: `curfew-` if absent. What the node's ACL has to allow. */
  readonly groupPrefix?: string;
  /** What renews the lease when Kafka does not: Watch (default), or nothing. */
  readonly fallback?: 'watch' | 'none';
  /** How long a fetch waits for records, milliseconds: 100 to 500, 250 if absent. It adds no latency. */
  readonly maxWaitTimeInMs?: number;
  /** Told what happens on the way from Kafka. What it throws is ignored. */
  readonly onDiagnostic?: (diagnostic: KafkaDiagnostic) => void;
}

/**
 * `kafka-failed`: the service publishes nothing to Kafka. `stream-changed`: the topic is another one than before, or has other
 * lanes; it is read anew. `consumer-ended`: the consumer failed, fell silent or was assigned too little; there is another one.
 * `rejoined`: the group was joined once more; nothing is lost. `gap`: records are missing; the lane counts for nothing until
 * a replay, or the next relay, closes it. `unreadable-record`: a record that is none of the stream's. `fallback-opened` /
 * `fallback-closed`: Watch renews as well; it no longer needs to.
 */
export type KafkaDiagnosticKind =
  | 'kafka-failed'
  | 'stream-changed'
  | 'consumer-ended'
  | 'rejoined'
  | 'gap'
  | 'unreadable-record'
  | 'fallback-opened'
  | 'fallback-closed';

export interface KafkaDiagnostic {
  readonly kind: KafkaDiagnosticKind;
  /** For people. Never a token, a key or personal data. */
  readonly message: string;
}

export interface KafkaSourceStats {
  /** Records read, replays included. */
  readonly records: number;
  /** Gaps noticed. */
  readonly gaps: number;
  /** Consumers begun: 1 when nothing ever failed. */
  readonly consumers: number;
  /** Renewals of the lease that came over Kafka. */
  readonly renewals: number;
  /** Whether Watch runs beside it now. */
  readonly fallback: boolean;
}

export interface KafkaRevocations extends RevocationSource {
  /** Counts since the node was made. */
  stats(): KafkaSourceStats;
}
