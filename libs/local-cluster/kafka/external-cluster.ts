import type { KafkaCluster, KafkaNode } from './kafka-cluster.js';
import { describeBrokers } from './readiness.js';

/** `KAFKA_BROKERS`, as the service reads it; empty if it is not set. */
export const externalBrokers = (): string[] =>
  (process.env['KAFKA_BROKERS'] ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');

/** Brokers that somebody else runs, in the clear. */
export async function connectExternal(brokers: readonly string[], nodes: number): Promise<KafkaCluster> {
  const seen = await describeBrokers({ brokers: [...brokers] }).catch((error: Error) => {
    throw new Error(`KAFKA_BROKERS does not answer: ${error.message}`, { cause: error });
  });
  if (seen.length < nodes)
    throw new Error(`KAFKA_BROKERS has ${seen.length} broker(s), and ${nodes} are asked for`);
  return {
    how: 'external',
    version: 'unknown',
    brokers,
    nodes: seen.map(externalNode),
    stop: () => Promise.resolve(),
  };
}

function externalNode({ id, broker }: { id: number; broker: string }): KafkaNode {
  const refuse = (verb: string) => (): Promise<never> =>
    Promise.reject(
      new Error(`Kafka node ${id} is of KAFKA_BROKERS: it is not ours to ${verb}. Unset KAFKA_BROKERS.`),
    );
  return {
    id,
    broker,
    kill: refuse('kill'),
    pause: refuse('pause'),
    resume: refuse('resume'),
    restart: refuse('restart'),
  };
}
