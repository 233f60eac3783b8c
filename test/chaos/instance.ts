import { startService, type Service } from '#local-cluster';
import type { MovableClock } from './movable-clock.js';
import { Proxy } from './proxy.js';
import { brokerPaths, imports, type BrokerPaths } from './redirected.js';
import type { Watchdog } from './watchdog.js';

export interface InstanceOptions {
  readonly name: string;
  readonly folder: string;
  /** Its `DATABASE_URL` leads through a proxy to there. */
  readonly databaseUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** Which it is told of in `env`. It reaches them through proxies. */
  readonly brokers: readonly string[];
  /** A script of `processes/mutants` that breaks it from outside. */
  readonly mutant?: string;
  readonly clock?: MovableClock;
  readonly watchdog: Watchdog;
  readonly onLine?: (line: string) => void;
}

const portOf = (url: string): number => Number(new URL(url).port);

/** One process of the service, which is killed, stopped and started again; each start has new ports. */
export class Instance {
  private running: Service | undefined;

  private constructor(
    private readonly options: InstanceOptions,
    /** Between it and PostgreSQL. */
    readonly database: Proxy,
    private readonly brokers: BrokerPaths,
  ) {}

  static async start(options: InstanceOptions): Promise<Instance> {
    const port = portOf(options.databaseUrl);
    const brokers = await brokerPaths(options.brokers);
    const instance = new Instance(options, await Proxy.open(() => [port]), brokers);
    await instance.restart();
    return instance;
  }

  get name(): string {
    return this.options.name;
  }

  get brokerPaths(): readonly Proxy[] {
    return this.brokers.paths;
  }

  get clock(): MovableClock | undefined {
    return this.options.clock;
  }

  get service(): Service {
    if (this.running === undefined) throw new Error(`${this.name} has not been started`);
    return this.running;
  }

  /** Where it listens, or did. */
  get httpPort(): number {
    return portOf(this.service.http);
  }

  get grpcPort(): number {
    return portOf(this.service.grpc);
  }

  get pid(): number {
    return this.service.child.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.service.child.signal(name);
  }

  async kill(): Promise<void> {
    const { child } = this.service;
    child.signal('SIGKILL');
    await child.ended();
    this.options.watchdog.unwatch(child.pid);
  }

  /** In order. */
  async stop(): Promise<void> {
    const { child } = this.service;
    child.signal('SIGCONT');
    await child.stop();
    this.options.watchdog.unwatch(child.pid);
  }

  /** Resolves when it serves. */
  async restart(): Promise<void> {
    const { folder, env, clock, watchdog, onLine, mutant } = this.options;
    const first = imports({
      redirect: this.brokerPaths.length > 0,
      ...(mutant === undefined ? {} : { mutant }),
    });
    const url = new URL(this.options.databaseUrl);
    url.port = String(this.database.port);
    this.running = await startService(folder, {
      env: {
        ...env,
        ...clock?.env,
        ...this.brokers.env,
        ...(first.length === 0 ? {} : { NODE_OPTIONS: first.join(' ') }),
        DATABASE_URL: url.href,
      },
      ...(onLine ? { onLine } : {}),
    });
    watchdog.watch(this.running.child.pid);
  }

  async end(): Promise<void> {
    if (this.running?.child.running === true) await this.stop();
    await Promise.all([this.database, ...this.brokerPaths].map((path) => path.close()));
  }
}
