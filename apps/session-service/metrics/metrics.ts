import { Counter, Gauge, prometheusContentType, Registry } from 'prom-client';

/** One value, with the labels that tell it from the others of its metric. Never personal data, and no id of a session or user. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric, asked for its values at each scrape. One that a call does not answer with is gone from the scrape. */
export interface MetricSource {
  /** `curfew_…`, in base units (seconds, bytes); `…_total` for a counter. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** May take 1 s; then the scrape goes on without it. */
  collect(): readonly MetricSample[] | Promise<readonly MetricSample[]>;
}

const PATIENCE_MS = 1_000;

/** Of the process: the few that every dashboard begins with. */
const PROCESS_SOURCES: readonly MetricSource[] = [
  {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    type: 'gauge',
    collect: () => [{ labels: {}, value: process.memoryUsage.rss() }],
  },
  {
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time of the process.',
    type: 'counter',
    collect: () => {
      const { user, system } = process.cpuUsage();
      return [{ labels: {}, value: (user + system) / 1e6 }];
    },
  },
];

function within<T>(patienceMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), patienceMs);
  });
  return Promise.race([answer, tooLate]).finally(() => {
    clearTimeout(timer);
  });
}

/**
 * The metrics of an instance. Nothing is kept between scrapes: sources have their own counts. A source that fails or hangs is
 * left out and shows in `curfew_metric_source_failed`; the others are answered.
 */
export class Metrics {
  static readonly contentType: string = prometheusContentType;
  private readonly sources: readonly MetricSource[];

  /** @throws Error when two sources have one name: their values would be mixed up. */
  constructor(sources: readonly MetricSource[] = []) {
    this.sources = [...PROCESS_SOURCES, ...sources];
    const names = new Set(this.sources.map(({ name }) => name));
    if (names.size < this.sources.length) throw new Error('two metrics have one name');
  }

  /** The Prometheus text format, 0.0.4. */
  async text(): Promise<string> {
    const registry = new Registry();
    const failed: string[] = [];
    const collected = await Promise.allSettled(
      this.sources.map((source) =>
        within(
          PATIENCE_MS,
          Promise.resolve().then(() => source.collect()),
        ),
      ),
    );
    for (const [index, source] of this.sources.entries()) {
      const outcome = collected[index];
      if (outcome?.status !== 'fulfilled' || !write(registry, source, outcome.value))
        failed.push(source.name);
    }
    const samples = failed.map((metric) => ({ labels: { metric }, value: 1 }));
    write(registry, FAILED, samples);
    return registry.metrics();
  }
}

const FAILED = {
  name: 'curfew_metric_source_failed',
  help: 'Metrics that could not be collected in this scrape.',
  type: 'gauge',
} as const;

/** @returns false if the values are none that such a metric can have; it is then left out */
function write(
  registry: Registry,
  { name, help, type }: Omit<MetricSource, 'collect'>,
  samples: readonly MetricSample[],
): boolean {
  // An empty metric would be written as 0.
  if (samples.length === 0) return true;
  const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
  const options = { name, help, labelNames, registers: [registry] };
  try {
    if (type === 'gauge') {
      const gauge = new Gauge(options);
      for (const { labels, value } of samples) gauge.set(labels, value);
    } else {
      const counter = new Counter(options);
      for (const { labels, value } of samples) counter.inc(labels, value);
    }
    return true;
  } catch {
    registry.removeSingleMetric(name);
    return false;
  }
}
