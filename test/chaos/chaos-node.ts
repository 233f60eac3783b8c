import { built, Child } from '#local-cluster';
import type { Instance } from './instance.js';
import type { MovableClock } from './movable-clock.js';
import type { NodeReport, NodeSettings, ToNode } from './processes/node-messages.js';
import { Proxy } from './proxy.js';
import { brokerPaths, imports } from './redirected.js';
import type { Watchdog } from './watchdog.js';

export interface ChaosNodeOptions {
  readonly settings: Omit<NodeSettings, 'service' | 'watch'>;
  /** It reaches each of them over paths of its own. */
  readonly instances: readonly Instance[];
  readonly clock?: MovableClock;
  /** A script of `processes/mutants` that breaks it from outside. */
  readonly mutant?: string;
  readonly watchdog: Watchdog;
  readonly onReport: (node: ChaosNode, report: NodeReport) => void;
  readonly onLine?: (line: string) => void;
}

/** An API node: a process with the SDK that verifies all the time. */
export class ChaosNode {
  private readonly questions = new Map<number, (report: NodeReport) => void>();
  private asked = 0;
  last: NodeReport | undefined;

  private constructor(
    private readonly options: ChaosNodeOptions,
    private readonly child: Child<unknown>,
    /** To the service's doors. */
    readonly paths: readonly Proxy[],
    /** To the brokers; empty for a node over Watch. */
    readonly brokerPaths: readonly Proxy[],
  ) {}

  static async start(options: ChaosNodeOptions): Promise<ChaosNode> {
    const { settings, instances, clock, mutant, watchdog, onLine } = options;
    // As a balancer in front of the REST doors: whoever takes the connection.
    const http = await Proxy.open(() => instances.map(({ httpPort }) => httpPort));
    const grpc = await Promise.all(instances.map((instance) => Proxy.open(() => [instance.grpcPort])));
    const given: NodeSettings = {
      ...settings,
      service: `http://127.0.0.1:${http.port}`,
      watch: grpc.map(({ port }) => `http://127.0.0.1:${port}`),
    };
    const brokers = await brokerPaths(settings.kafka?.brokers ?? []);
    const redirect = settings.kafka !== undefined;
    const child = await Child.start({
      args: [
        ...imports({ redirect, ...(mutant === undefined ? {} : { mutant }) }),
        built('test/chaos/processes/node.js'),
      ],
      env: { ...clock?.env, ...brokers.env, CHAOS_NODE: JSON.stringify(given) },
      ...(onLine ? { onLine } : {}),
    });
    watchdog.watch(child.pid);
    const node = new ChaosNode(options, child, [http, ...grpc], brokers.paths);
    child.onMessage((message) => node.hear(message as NodeReport));
    return node;
  }

  get name(): string {
    return this.options.settings.name;
  }

  get bound(): number {
    return this.options.settings.bound;
  }

  get isOverKafka(): boolean {
    return this.brokerPaths.length > 0;
  }

  get clock(): MovableClock | undefined {
    return this.options.clock;
  }

  tell(tokens: readonly (readonly [sid: string, token: string])[]): void {
    this.say({ kind: 'tell', tokens });
  }

  cool(sids: readonly string[]): void {
    this.say({ kind: 'cool', sids });
  }

  forget(sids: readonly string[]): void {
    this.say({ kind: 'forget', sids });
  }

  /** A report of now. A stopped node never answers. */
  ask(): Promise<NodeReport> {
    const question = (this.asked += 1);
    this.say({ kind: 'ask', question });
    return new Promise((resolve) => this.questions.set(question, resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.child.signal(name);
  }

  get running(): boolean {
    return this.child.running;
  }

  async end(): Promise<void> {
    this.child.signal('SIGCONT');
    await this.child.stop();
    this.options.watchdog.unwatch(this.child.pid);
    await Promise.all([...this.paths, ...this.brokerPaths].map((path) => path.close()));
  }

  private say(message: ToNode): void {
    this.child.send(message);
  }

  private hear(report: NodeReport): void {
    this.last = report;
    this.options.onReport(this, report);
    if (report.question === undefined) return;
    this.questions.get(report.question)?.(report);
    this.questions.delete(report.question);
  }
}
