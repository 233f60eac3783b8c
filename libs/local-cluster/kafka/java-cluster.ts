import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerJars, KAFKA_VERSION, type BrokerJars, type Java } from './broker-jars.js';
import { BrokerProcess } from './broker-process.js';
import { nodeProperties, type NodePorts, type Properties } from './broker-properties.js';
import { freePorts } from './free-ports.js';
import type { KafkaCluster, KafkaNode } from './kafka-cluster.js';
import { untilReady, type KafkaLogin } from './readiness.js';
import { Watchdog } from './watchdog.js';

const START_ATTEMPTS = 3;

/** What a listener needs beyond its port. */
export interface ClusterSecurity {
  /** Names of the listeners; clients use the first, brokers among themselves the last. */
  readonly listeners: readonly string[];
  readonly properties: Properties;
  /** `--add-scram` values. */
  readonly credentials: readonly string[];
  /** How the harness itself logs in. */
  readonly login: Omit<KafkaLogin, 'brokers'>;
}

const IN_THE_CLEAR: ClusterSecurity = {
  listeners: ['PLAINTEXT'],
  properties: {},
  credentials: [],
  login: {},
};

export interface JavaClusterOptions {
  readonly java: Java;
  readonly nodes: number;
  readonly onLine: (line: string) => void;
  /** Made in the cluster's own folder; in the clear if absent. */
  readonly secure?: (folder: string) => Promise<ClusterSecurity>;
}

export interface JavaCluster extends KafkaCluster {
  /** `host:port` per node of a listener. */
  brokersOf(listener: string): string[];
}

/** Brokers in JVMs of their own, on free ports, with their data in a temporary folder. */
export async function startOnJava({ java, nodes, onLine, secure }: JavaClusterOptions): Promise<JavaCluster> {
  const jars = await brokerJars(java, onLine);
  const folder = await mkdtemp(join(tmpdir(), 'curfew-kafka-'));
  const watchdog = new Watchdog(folder);
  try {
    const security = (await secure?.(folder)) ?? IN_THE_CLEAR;
    for (let attempt = 1; ; attempt += 1) {
      const brokers = new Brokers({
        jars,
        folder: join(folder, String(attempt)),
        watchdog,
        security,
        onLine,
      });
      try {
        await brokers.start(nodes);
        return brokers.asCluster(() => watchdog.release());
      } catch (error) {
        await brokers.discard();
        const taken = /Address already in use/.test((error as Error).message);
        if (!taken || attempt === START_ATTEMPTS) throw error;
      }
    }
  } catch (error) {
    await watchdog.release();
    throw error;
  }
}

interface BrokersContext {
  readonly jars: BrokerJars;
  readonly folder: string;
  readonly watchdog: Watchdog;
  readonly security: ClusterSecurity;
  readonly onLine: (line: string) => void;
}

class Brokers {
  private readonly processes: { readonly ports: NodePorts; readonly process: BrokerProcess }[] = [];

  constructor(private readonly context: BrokersContext) {}

  async start(nodes: number): Promise<void> {
    const { onLine, folder, security } = this.context;
    const started = performance.now();
    onLine(
      `Apache Kafka ${KAFKA_VERSION}: formatting the storage of ${nodes === 1 ? 'one node' : `${nodes} nodes`}`,
    );
    const ports = await this.ports(nodes);
    for (const own of ports) {
      const process = new BrokerProcess({ ...this.context, folder: join(folder, `node-${own.id}`) });
      this.processes.push({ ports: own, process });
    }
    const clusterId = randomBytes(16).toString('base64url');
    await Promise.all(
      this.processes.map(({ ports: own, process }) =>
        process.format(
          { ...nodeProperties(own, ports, join(folder, `node-${own.id}`, 'data')), ...security.properties },
          clusterId,
          security.credentials,
        ),
      ),
    );
    onLine(`Apache Kafka ${KAFKA_VERSION}: starting`);
    for (const { ports: own, process } of this.processes) await process.launch({ archive: own.id === 1 });
    await this.ready(ports);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    onLine(`Apache Kafka ${KAFKA_VERSION}: serves on ${this.clientBrokers().join()} after ${seconds} s`);
  }

  asCluster(release: () => Promise<void>): JavaCluster {
    return {
      how: 'jars',
      version: KAFKA_VERSION,
      brokers: this.clientBrokers(),
      brokersOf: (listener) => this.processes.map(({ ports }) => address(ports, listener)),
      nodes: this.processes.map(({ ports, process }) => this.nodeOf(ports, process)),
      stop: async () => {
        await this.discard();
        await release();
      },
    };
  }

  async discard(): Promise<void> {
    await Promise.all(this.processes.map(({ process }) => process.discard()));
  }

  private nodeOf(ports: NodePorts, process: BrokerProcess): KafkaNode {
    return {
      id: ports.id,
      broker: this.clientBroker(ports),
      kill: () => process.kill(),
      pause: () => process.signal('SIGSTOP'),
      resume: () => process.signal('SIGCONT'),
      restart: async () => {
        await process.stop();
        await process.launch();
        await this.ready([ports]);
      },
    };
  }

  private async ports(nodes: number): Promise<NodePorts[]> {
    const { listeners } = this.context.security;
    const free = await freePorts(nodes * (listeners.length + 1));
    const take = (): number => free.pop() as number;
    return Array.from({ length: nodes }, (_, index) => ({
      id: index + 1,
      controller: take(),
      listeners: Object.fromEntries(listeners.map((name) => [name, take()])),
    }));
  }

  private async ready(nodes: readonly NodePorts[]): Promise<void> {
    await untilReady({
      login: { ...this.context.security.login, brokers: nodes.map((ports) => this.clientBroker(ports)) },
      ids: nodes.map(({ id }) => id),
      check: async () => {
        for (const { ports, process } of this.processes)
          if (nodes.includes(ports) && !process.running)
            throw new Error(`Kafka node ${ports.id} ended:\n${await process.lastWords()}`);
      },
    });
  }

  private clientBroker(ports: NodePorts): string {
    return address(ports, this.context.security.listeners[0] as string);
  }

  private clientBrokers(): string[] {
    return this.processes.map(({ ports }) => this.clientBroker(ports));
  }
}

const address = (ports: NodePorts, listener: string): string => `127.0.0.1:${ports.listeners[listener] ?? 0}`;
