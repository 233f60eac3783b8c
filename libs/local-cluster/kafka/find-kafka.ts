import { findJava, whyNoJars, type Java } from './broker-jars.js';
import { dockerAnswers, startOnDocker } from './docker-broker.js';
import { connectExternal, externalBrokers } from './external-cluster.js';
import { startOnJava } from './java-cluster.js';
import type { KafkaCluster, KafkaClusterOptions, KafkaOrigin, SecuredKafkaCluster } from './kafka-cluster.js';
import { startSecured } from './secured-cluster.js';

type Shape = Pick<KafkaClusterOptions, 'nodes' | 'security'>;

type Found =
  | { readonly how: 'external'; readonly brokers: readonly string[] }
  | { readonly how: 'docker' }
  | { readonly how: 'jars'; readonly java: Java }
  | { readonly missing: string };

/**
 * Whether a cluster of this shape can be had here, and from where: `KAFKA_BROKERS`, else Docker if an engine answers,
 * else Java 17 or later with the broker's jars from Maven Central. Starts and downloads nothing. Cost: up to 0.5 s.
 */
export async function findKafka(shape: Shape = {}): Promise<{ how: KafkaOrigin } | { missing: string }> {
  const found = await find(shape);
  return 'missing' in found ? found : { how: found.how };
}

/**
 * Starts a real Apache Kafka in KRaft mode, ready when it takes records. Ends with this process, even when that is killed.
 * Cost: about 2 s for one node; the first on a machine also downloads 45 MB.
 * @throws Error when there is none here, with the reason
 */
export async function startKafka(
  options: KafkaClusterOptions & { readonly security: 'sasl-ssl' },
): Promise<SecuredKafkaCluster>;
export async function startKafka(options?: KafkaClusterOptions): Promise<KafkaCluster>;
export async function startKafka(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
  const { nodes = 1, onLine = () => undefined } = options;
  const found = await find(options);
  if ('missing' in found) throw new Error(`there is no Kafka here: ${found.missing}`);
  if (found.how === 'external') return connectExternal(found.brokers, nodes);
  if (found.how === 'docker') return startOnDocker(onLine);
  const { java } = found;
  return options.security === 'sasl-ssl'
    ? startSecured({ java, nodes, onLine })
    : startOnJava({ java, nodes, onLine });
}

async function find({ nodes = 1, security = 'plaintext' }: Shape): Promise<Found> {
  const brokers = externalBrokers();
  if (brokers.length > 0)
    return security === 'plaintext'
      ? { how: 'external', brokers }
      : { missing: 'KAFKA_BROKERS is set, and users and ACLs need a broker of their own' };
  // A container carries the plain case alone; three nodes and TLS are brokers on Java, on every machine the same.
  if (nodes === 1 && security === 'plaintext' && (await dockerAnswers())) return { how: 'docker' };
  const java = await findJava();
  const missing = 'missing' in java ? java.missing : await whyNoJars();
  if (missing !== undefined) return { missing: `neither KAFKA_BROKERS nor Docker, and ${missing}` };
  return { how: 'jars', java: java as Java };
}
