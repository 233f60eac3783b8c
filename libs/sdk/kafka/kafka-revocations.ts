import { REVOCATIONS_TOPIC } from '#contracts';
import { asRevocationSource, type OpenRevocationSource } from '../core/revocation-source.js';
import { CurfewSdkError } from '../index.js';
import { kafkaClients } from './kafka-client.js';
import type {
  KafkaDiagnosticKind,
  KafkaRevocations,
  KafkaRevocationsOptions,
  KafkaSourceStats,
} from './kafka-revocations.types.js';
import { KafkaSource } from './kafka-source.js';

const MIN_BOUND_MS = 1000;
const NOTHING: KafkaSourceStats = { records: 0, gaps: 0, consumers: 0, renewals: 0, fallback: false };

function wrong(option: string, rule: string): never {
  throw new CurfewSdkError('ERR_CONFIG', 0, `Option \`${option}\` ${rule}`, { field: option });
}

function checked(options: KafkaRevocationsOptions): Required<Omit<KafkaRevocationsOptions, 'onDiagnostic'>> {
  const { kafka, topic = REVOCATIONS_TOPIC, groupPrefix = 'curfew-' } = options;
  const { fallback = 'watch', maxWaitTimeInMs = 250 } = options;
  const given: unknown = kafka;
  if (typeof given !== 'object' || given === null)
    wrong('kafka', 'must be a configuration or a client of kafkajs');
  if (!/^[\w.-]{1,249}$/.test(topic)) wrong('topic', 'is not valid');
  if (!/^[\x21-\x7e]{1,64}$/.test(groupPrefix)) wrong('groupPrefix', 'is not valid');
  if (fallback !== 'watch' && fallback !== 'none') wrong('fallback', 'must be `watch` or `none`');
  if (!(maxWaitTimeInMs >= 100 && maxWaitTimeInMs <= 500)) wrong('maxWaitTimeInMs', 'must be 100 to 500');
  return { kafka, topic, groupPrefix, fallback, maxWaitTimeInMs };
}

/** Tells it later and apart: what it throws or does must not reach a decision. */
const teller =
  (listener: KafkaRevocationsOptions['onDiagnostic']) =>
  (kind: KafkaDiagnosticKind, message: string): void => {
    if (listener !== undefined) queueMicrotask(() => void tellOne(listener, kind, message));
  };

async function tellOne(
  listener: (diagnostic: { kind: KafkaDiagnosticKind; message: string }) => unknown,
  kind: KafkaDiagnosticKind,
  message: string,
): Promise<void> {
  try {
    await listener({ kind, message });
  } catch {
    // The listener's own affair.
  }
}

/**
 * Revocations from Kafka, for `createCurfew({ revocations })`; each node needs one of its own. The node still needs the
 * service's doors: `watch` for the renewals of its lease, `service` for the keys and introspection. `stalenessBound` has to
 * be 1,000 or more.
 * @throws CurfewSdkError ERR_CONFIG, `field` names the option; `createCurfew` throws it for the bound, and for a second node.
 */
export function kafkaRevocations(options: KafkaRevocationsOptions): KafkaRevocations {
  const { kafka, fallback, ...settings } = checked(options);
  const client = kafkaClients(kafka);
  const tell = teller(options.onDiagnostic);
  let source: KafkaSource | undefined;
  const open: OpenRevocationSource = (node, surroundings) => {
    if (node.bound < MIN_BOUND_MS) wrong('stalenessBound', `must be at least ${MIN_BOUND_MS} with Kafka`);
    if (source !== undefined) wrong('revocations', 'serves one node: make one for each');
    source = new KafkaSource(
      { ...settings, client, tell, fallback: fallback === 'watch' },
      node,
      surroundings,
    );
    return source;
  };
  return Object.assign(asRevocationSource(open), { stats: () => source?.stats() ?? NOTHING });
}
