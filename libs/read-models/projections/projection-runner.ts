import type pg from 'pg';
import type { ProjectionName } from '#application';
import { registerProjections } from './checkpoints.js';
import { errorClass, isTransient } from './failure.js';
import { follow } from './follow.js';
import { workWhileOwned } from './ownership.js';
import type { ProjectionDefinition } from './projection.js';
import { rebuild } from './rebuild.js';
import { dropRetiredTables } from './retired-tables.js';
import {
  isKeptInline,
  PROJECTION_TIMING,
  type InlineLog,
  type LogMeasure,
  type ProjectionAlarm,
  type ProjectionLog,
  type ProjectionRuntime,
  type ProjectionTiming,
} from './runtime.js';
import { Wake } from './wake.js';

export interface ProjectionRunnerOptions {
  /** Of the primary; stays the caller's. Of its own, with two connections a projection and statements of up to 30 s. */
  readonly pool: pg.Pool;
  readonly log: ProjectionLog;
  readonly measure: LogMeasure;
  /** Given if the log's appends keep the inline projections; without it they are followed like the others. */
  readonly inline?: InlineLog;
  readonly definitions: readonly ProjectionDefinition[];
  readonly onAlarm?: (alarm: ProjectionAlarm) => void;
  readonly timing?: Partial<ProjectionTiming>;
}

export interface ProjectionStats {
  /** Transactions and events of this instance, live and rebuilding. */
  readonly batches: number;
  readonly events: number;
  readonly alarms: Readonly<Record<ProjectionAlarm['kind'], number>>;
}

type Counts = { -readonly [K in keyof ProjectionStats]: ProjectionStats[K] } & {
  alarms: Record<ProjectionAlarm['kind'], number>;
};

/**
 * Keeps the projections up to date, rebuilds them when asked to, and drops what rebuilds leave behind. Every instance with the
 * role `projector` runs one; for each projection one of them works and the others stand by. Needs `projectionMigrations` and
 * the tables and views of version 1.
 */
export class ProjectionRunner {
  private readonly runtime: ProjectionRuntime;
  private readonly counts: Map<ProjectionName, Counts>;
  private readonly listeners = new Set<() => void>();
  private readonly wakes: Wake[] = [];
  private readonly stopping = new AbortController();
  private running: Promise<unknown> | undefined;

  constructor(private readonly options: ProjectionRunnerOptions) {
    const { pool, log, measure, inline, definitions, timing } = options;
    this.counts = new Map(definitions.map(({ name }) => [name, newCounts()]));
    this.runtime = {
      pool,
      log,
      measure,
      ...(inline && { inline }),
      timing: { ...PROJECTION_TIMING, ...timing },
      alarm: (alarm) => this.alarm(alarm),
      committed: (name, _version, events) => this.committed(name, events),
    };
  }

  /** Returns at once: a store that cannot be reached is tried again for ever. */
  start(): void {
    if (this.running || this.stopping.signal.aborted) throw new Error('a projection runner starts once');
    this.running = this.run();
  }

  /** Ends what is under way and gives up ownership, so that another instance goes on at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** There may be something to do: a rebuild was asked for, a projection resumed. */
  wake(): void {
    for (const wake of this.wakes) wake.ring();
  }

  /** Calls back after each commit of this instance. Returns a stop. */
  onCommitted(listener: () => void): () => void {
    const own = (): void => listener();
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  /** Counters since the start. */
  stats(): ReadonlyMap<ProjectionName, ProjectionStats> {
    return this.counts;
  }

  private async run(): Promise<void> {
    const { runtime } = this;
    const { signal } = this.stopping;
    await this.register(signal);
    const followed = this.options.definitions.filter((definition) => !isKeptInline(definition, runtime));
    await Promise.all([
      ...followed.map((definition) =>
        workWhileOwned(
          runtime,
          {
            name: definition.name,
            state: 'live',
            wake: this.newWake(),
            work: (claim, until) => follow(runtime, definition, claim, until),
          },
          signal,
        ),
      ),
      ...this.options.definitions.map((definition) =>
        workWhileOwned(
          runtime,
          {
            name: definition.name,
            state: 'building',
            wake: this.newWake(),
            work: async (claim, until) => {
              const flipped = await rebuild(runtime, definition, claim, until);
              if (flipped) this.wake();
              return flipped;
            },
          },
          signal,
        ),
      ),
      this.dropWhatIsLeft(signal),
    ]);
  }

  private async register(signal: AbortSignal): Promise<void> {
    const { definitions, pool } = this.options;
    const wake = new Wake();
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        return await registerProjections(
          pool,
          definitions.map(({ name }) => name),
        );
      } catch (error) {
        for (const { name } of definitions) {
          this.alarm({ kind: 'unavailable', name, version: 0, error: errorClass(error), failures });
        }
        await wake.wait(this.runtime.timing.heartbeatMs, signal);
      }
    }
  }

  private async dropWhatIsLeft(signal: AbortSignal): Promise<void> {
    const { pool, definitions } = this.options;
    const { timing } = this.runtime;
    const wake = this.newWake();
    while (!signal.aborted) {
      // Nobody waits for it: it is tried again, and what is left is seen in the table.
      await dropRetiredTables(pool, definitions, timing.lockMs).catch((error: unknown) => {
        if (isTransient(error)) return;
        for (const { name } of definitions) {
          this.alarm({ kind: 'unavailable', name, version: 0, error: errorClass(error), failures: 1 });
        }
      });
      await wake.wait(timing.takeoverMs, signal);
    }
  }

  private newWake(): Wake {
    const wake = new Wake();
    this.wakes.push(wake);
    return wake;
  }

  private committed(name: ProjectionName, events: number): void {
    const counts = this.counts.get(name);
    if (counts !== undefined) {
      counts.batches += 1;
      counts.events += events;
    }
    for (const listener of [...this.listeners]) listener();
  }

  private alarm(alarm: ProjectionAlarm): void {
    const counts = this.counts.get(alarm.name);
    if (counts !== undefined) counts.alarms[alarm.kind] += 1;
    this.options.onAlarm?.(alarm);
  }
}

const newCounts = (): Counts => ({
  batches: 0,
  events: 0,
  alarms: { paused: 0, 'ownership-lost': 0, 'rebuild-failed': 0, 'flip-delayed': 0, unavailable: 0 },
});
