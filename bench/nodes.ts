import type { KafkaTopics } from '#local-cluster';
import { createCurfew, type Curfew, type CurfewOptions } from '#sdk';
import { kafkaRevocations } from '#sdk/kafka';
import { AUDIENCE, ISSUER } from './environment.js';

/** Where a node finds the service, and as whom. */
export interface NodeAddress {
  readonly http: string;
  readonly grpc: string;
  readonly key: string;
}

const optionsOf = ({ http, grpc, key }: NodeAddress, tenant: string): CurfewOptions => ({
  service: http,
  watch: grpc,
  apiKey: key,
  issuer: ISSUER,
  audience: AUDIENCE,
  tenant,
});

async function ready(node: Curfew): Promise<Curfew> {
  await node.ready({ timeoutMs: 30_000 });
  return node;
}

/** A node in this process that watches and may decide. @param tenant of the tokens that it accepts; `*`: every one */
export const startNode = (address: NodeAddress, tenant = 'default'): Promise<Curfew> =>
  ready(createCurfew(optionsOf(address, tenant)));

/** The same with its revocations from Kafka, and nothing else: without Kafka it has no lease. */
export const startKafkaNode = (address: NodeAddress, { brokers, revocationsTopic }: KafkaTopics) =>
  ready(
    createCurfew({
      ...optionsOf(address, 'default'),
      revocations: kafkaRevocations({
        kafka: { brokers: [...brokers] },
        topic: revocationsTopic,
        fallback: 'none',
      }),
    }),
  );

/** Ends when the last node refuses the token. */
export async function refusedByAll(nodes: readonly Curfew[], token: string): Promise<void> {
  // The last is what counts: a node that has refused is not asked again, so that asking costs little.
  const accepting = [...nodes];
  for (let next = accepting.at(-1); next; next = accepting.at(-1)) {
    if (!(await accepts(next, token))) accepting.pop();
    // Lets the streams of these very nodes be read.
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

const accepts = (node: Curfew, token: string): Promise<boolean> =>
  node.verify(token).then(
    () => true,
    () => false,
  );
