import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiKey } from '#local-cluster';
import { API_KEY_SCOPES } from '#contracts';
import { AUDIENCE, externalDatabase, ISSUER } from '../support/cluster.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { ChaosKafka } from './chaos-kafka.js';
import { ChaosNode } from './chaos-node.js';
import { Instance } from './instance.js';
import { MovableClock } from './movable-clock.js';
import { Oracle } from './oracle.js';
import type { NodeCounts } from './processes/node-messages.js';
import { Watchdog } from './watchdog.js';
import { say, VERBOSE } from './verbose.js';

/** Life of an access token. Short, so that what nodes may forget is forgotten within a run. */
export const TTL_MS = 120_000;
/** A token is not judged in its last seconds. */
const TTL_MARGIN_MS = 10_000;
const LIFE_OF_TOKENS = {
  CURFEW_ACCESS_TTL: `${TTL_MS / 1_000}s`,
  CURFEW_MAX_ACCESS_TTL: `${TTL_MS / 1_000}s`,
};

/** One SDK process of the topology. */
export interface NodePlan {
  readonly name: string;
  readonly bound: number;
  readonly onStale?: 'introspect' | 'reject';
  readonly maxSessions?: number;
  /** Its wall clock can be moved. */
  readonly movable?: boolean;
  readonly mutant?: string;
  /** Over Kafka, with that to fall back on. Absent: over Watch. */
  readonly kafka?: 'watch' | 'none';
}

export interface ChaosClusterOptions {
  readonly nodes: readonly NodePlan[];
  /** Brokers; nodes over Kafka need some. */
  readonly brokers?: 1 | 3;
  /** A script of `processes/mutants` that breaks every instance from outside. */
  readonly mutant?: string;
  /** More settings of the instances. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What runs, all of it real processes: PostgreSQL, two instances of the service, nodes. Every path between them is a proxy. */
export class ChaosCluster {
  readonly oracle = new Oracle(TTL_MS - TTL_MARGIN_MS);
  readonly nodes: ChaosNode[] = [];
  readonly instances: Instance[] = [];
  apiKey = '';
  kafka: ChaosKafka | undefined;

  private constructor(
    readonly folder: string,
    readonly postgres: OwnPostgres,
    readonly watchdog: Watchdog,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start({ nodes, brokers, mutant, env: more = {} }: ChaosClusterOptions): Promise<ChaosCluster> {
    const watchdog = Watchdog.start();
    const folder = await mkdtemp(join(tmpdir(), 'curfew-chaos-'));
    watchdog.folder(folder);
    const postgres = await OwnPostgres.start(join(folder, 'postgres'));
    watchdog.watch(postgres.pid);
    const env = {
      CURFEW_ISSUER: ISSUER,
      CURFEW_AUDIENCE: AUDIENCE,
      ...LIFE_OF_TOKENS,
      ...more,
      ...(await externalDatabase(join(folder, 'service'), postgres.url)),
    };
    const cluster = new ChaosCluster(folder, postgres, watchdog, env);
    try {
      if (brokers !== undefined) cluster.kafka = await ChaosKafka.start(brokers, LIFE_OF_TOKENS);
      await cluster.startInstance('instance-1', postgres.url, mutant);
      await cluster.startInstance('instance-2', postgres.url, mutant);
      const key = { name: 'chaos', scopes: API_KEY_SCOPES, tenants: ['default'] };
      cluster.apiKey = await createApiKey(cluster.instances[0]!.service, key);
      for (const plan of nodes) await cluster.startNode(plan);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** @param mutant a script of `processes/mutants` that breaks it from outside */
  async startInstance(name: string, databaseUrl: string, mutant?: string): Promise<Instance> {
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    const clock = name === 'instance-2' ? MovableClock.make(folder, name) : undefined;
    const instance = await Instance.start({
      name,
      folder,
      databaseUrl,
      env: { ...this.env, ...this.kafka?.settings },
      brokers: this.kafka?.brokers ?? [],
      ...(mutant === undefined ? {} : { mutant }),
      watchdog: this.watchdog,
      ...(clock ? { clock } : {}),
      ...(VERBOSE ? { onLine: (line: string) => say(`${name}: ${line}`) } : {}),
    });
    this.instances.push(instance);
    return instance;
  }

  /** @param instances it knows these alone */
  async startNode(plan: NodePlan, instances: readonly Instance[] = this.instances): Promise<ChaosNode> {
    const { movable = false, mutant, onStale = 'introspect', kafka: fallback, ...settings } = plan;
    const brokers = this.kafka?.brokers;
    const clock = movable ? MovableClock.make(this.folder, plan.name) : undefined;
    const node = await ChaosNode.start({
      settings: {
        ...settings,
        onStale,
        apiKey: this.apiKey,
        issuer: ISSUER,
        audience: AUDIENCE,
        ...(fallback && brokers ? { kafka: { brokers, fallback } } : {}),
      },
      instances,
      watchdog: this.watchdog,
      onReport: (from, report) => this.oracle.reported(from, report),
      ...(clock ? { clock } : {}),
      ...(mutant === undefined ? {} : { mutant }),
      ...(VERBOSE ? { onLine: (line: string) => say(`${plan.name}: ${line}`) } : {}),
    });
    this.nodes.push(node);
    return node;
  }

  /** The REST doors, straight. */
  readonly urls = (): readonly string[] => this.instances.map(({ service }) => service.http);

  /** What the nodes have done, all together. */
  counts(): NodeCounts & { hits: number; introspections: number } {
    const sum = { accepted: 0, refused: 0, stale: 0, failed: 0, hits: 0, introspections: 0 };
    for (const { last } of this.nodes) {
      if (last === undefined) continue;
      const { hits, introspections, counts } = last;
      for (const [name, count] of Object.entries({ ...counts, hits, introspections })) {
        sum[name as keyof typeof sum] += count;
      }
    }
    return sum;
  }

  /** @throws Error where there is no Kafka: a fault says so in its needs */
  get brokers(): ChaosKafka {
    if (this.kafka === undefined) throw new Error('there is no Kafka');
    return this.kafka;
  }

  /** Ends everything that was started, whatever state it is in. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.nodes.map((node) => node.end()));
    await Promise.allSettled(this.instances.map((instance) => instance.end()));
    await Promise.allSettled([this.kafka?.stop(), this.postgres.stop()]);
    await rm(this.folder, { recursive: true, force: true });
    this.watchdog.dismiss();
  }
}
