/** What one node of a cluster is told. Ports are on 127.0.0.1. */
export interface NodePorts {
  readonly id: number;
  readonly controller: number;
  /** By listener name. The first is the clients'. */
  readonly listeners: Readonly<Record<string, number>>;
}

export type Properties = Readonly<Record<string, string | number | boolean>>;

/** A node of a plaintext cluster. */
export function nodeProperties(node: NodePorts, cluster: readonly NodePorts[], data: string): Properties {
  const names = Object.keys(node.listeners);
  const addresses = Object.entries(node.listeners).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  return {
    ...clusterProperties(cluster.length),
    'node.id': node.id,
    'controller.quorum.voters': cluster.map(({ id, controller }) => `${id}@127.0.0.1:${controller}`).join(),
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${node.controller}`].join(),
    'advertised.listeners': addresses.join(),
    'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', ...names.map(protocolOf)].join(),
    'inter.broker.listener.name': names.at(-1) ?? 'PLAINTEXT',
    'log.dirs': data,
  };
}

/** What every node of a cluster shares, wherever it runs. */
export function clusterProperties(nodes: number): Properties {
  const minimumInSync = nodes === 1 ? 1 : 2;
  return {
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'auto.create.topics.enable': false,
    'default.replication.factor': nodes,
    'min.insync.replicas': minimumInSync,
    'offsets.topic.replication.factor': nodes,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': nodes,
    'transaction.state.log.min.isr': minimumInSync,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that is killed or paused is given up after this; the default, 9 s, makes a test of a fault slow.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    // A follower that is paused leaves the in-sync set after this, and acks=all goes on without it. Default 30 s.
    'replica.lag.time.max.ms': 4000,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
}

export const toFile = (properties: Properties): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** PLAINTEXT and INTERNAL are in the clear; the others are named after their protocol. */
const protocolOf = (listener: string): string =>
  `${listener}:${listener === 'INTERNAL' ? 'PLAINTEXT' : listener}`;
