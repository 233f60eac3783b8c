import { afterAll, beforeAll, describe } from '@jest/globals';
import { findKafka, startKafka, type KafkaCluster, type SecuredKafkaCluster } from '#local-cluster';

interface KafkaSuite {
  readonly nodes?: 1 | 3;
  /** Kills, pauses or restarts brokers: not with those of `KAFKA_BROKERS`. Implied by three nodes. */
  readonly faults?: boolean;
}

/** Prints what the harness does. */
const onLine = (line: string): void => {
  if (process.env['CURFEW_TEST_VERBOSE'] !== undefined) console.log(line);
};

const plain = await findKafka();
/** As three nodes do, it needs brokers on Java. */
const secured = await findKafka({ security: 'sasl-ssl' });

/**
 * A suite on a real Kafka of its own, started before its tests and stopped after them. Where there is none it is reported
 * as skipped, by its name and with the reason. Tests share the broker and make topics with names of their own (`topicName`).
 * @param fn declares the tests; `kafka()` is the cluster, once they run
 */
export function describeWithKafka(
  name: string,
  fn: (kafka: () => KafkaCluster) => void,
  { nodes = 1, faults = nodes > 1 }: KafkaSuite = {},
): void {
  const missing =
    nodes === 1 && !faults ? whyNot(plain) : (external() ?? whyNot(nodes === 1 ? plain : secured));
  suite(name, missing, () => startKafka({ nodes, onLine }), fn);
}

/** The same with users, TLS and ACLs. */
export function describeWithSecuredKafka(name: string, fn: (kafka: () => SecuredKafkaCluster) => void): void {
  suite(name, whyNot(secured), () => startKafka({ security: 'sasl-ssl', onLine }), fn);
}

function suite<Cluster extends KafkaCluster>(
  name: string,
  missing: string | undefined,
  start: () => Promise<Cluster>,
  fn: (kafka: () => Cluster) => void,
): void {
  if (missing !== undefined) {
    describe.skip(`${name} (skipped: ${missing})`, () => fn(() => notStarted()));
    return;
  }
  describe(name, () => {
    let cluster: Cluster | undefined;
    beforeAll(async () => {
      cluster = await start();
    }, 700_000);
    afterAll(() => cluster?.stop());
    fn(() => cluster ?? notStarted());
  });
}

const external = (): string | undefined =>
  'how' in plain && plain.how === 'external'
    ? 'KAFKA_BROKERS is set, and brokers of somebody else are not killed'
    : undefined;

function notStarted(): never {
  throw new Error('the cluster is there only while tests and hooks run');
}

const whyNot = (found: Awaited<ReturnType<typeof findKafka>>): string | undefined =>
  'missing' in found ? found.missing : undefined;
