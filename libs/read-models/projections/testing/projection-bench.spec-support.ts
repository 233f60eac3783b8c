import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { NewEvent, ProjectionStatus, RecordedEvent } from '#application';
import { eventLogMigrations, type MemoryEventLog } from '#event-log';
import { openPool, runMigrations, type Migration } from '#platform';
import { createDatabase, type TestDatabase } from '../../../../test/support/postgres.js';
import { PostgresProjections } from '../postgres-projections.js';
import type { ProjectionDefinition } from '../projection.js';
import { ProjectionRunner } from '../projection-runner.js';
import type { InlineLog, LogMeasure, ProjectionAlarm, ProjectionLog, ProjectionTiming } from '../runtime.js';
import { projectionMigrations } from '../schema.js';
import { measureByReading } from './measures.spec-support.js';
import { inlineProbeMigration, probeMigration } from './probe-projections.spec-support.js';

const POOL = { max: 6, applicationName: 'projector', statementTimeoutMs: 10_000 };
const PROBES = [...projectionMigrations, probeMigration, inlineProbeMigration];
/** Fast, so that a test need not wait. */
const TIMING: ProjectionTiming = { heartbeatMs: 40, takeoverMs: 400, lockMs: 100, firstRetryMs: 5 };

export interface TestRunner {
  readonly runner: ProjectionRunner;
  readonly pool: pg.Pool;
  readonly alarms: ProjectionAlarm[];
  /** Stops it if it runs. */
  close(): Promise<void>;
}

export interface RunnerSetup {
  readonly definitions: readonly ProjectionDefinition[];
  readonly log: ProjectionLog;
  readonly measure?: LogMeasure;
  readonly inline?: InlineLog;
  readonly timing?: Partial<ProjectionTiming>;
  readonly onConnect?: (client: pg.PoolClient) => void;
}

/** A database with the log's schema, the projections' and, unless others are given, the probes'. */
export class ProjectionBench {
  private readonly runners: TestRunner[] = [];
  private constructor(
    private readonly database: TestDatabase,
    readonly pool: pg.Pool,
  ) {}

  static async open(migrations: readonly Migration[] = PROBES): Promise<ProjectionBench> {
    const database = await createDatabase();
    await runMigrations(database.url, [...eventLogMigrations, ...migrations]);
    return new ProjectionBench(database, openPool(database.url, { max: 4 }));
  }

  get url(): string {
    return this.database.url;
  }

  runner(setup: RunnerSetup): TestRunner {
    const pool = openPool(this.url, POOL);
    pool.on('connect', (client) => setup.onConnect?.(client));
    const alarms: ProjectionAlarm[] = [];
    const runner = new ProjectionRunner({
      pool,
      log: setup.log,
      measure: setup.measure ?? measureByReading(setup.log),
      ...(setup.inline && { inline: setup.inline }),
      definitions: setup.definitions,
      onAlarm: (alarm) => alarms.push(alarm),
      timing: { ...TIMING, ...setup.timing },
    });
    const test: TestRunner = {
      runner,
      pool,
      alarms,
      close: async () => {
        await runner.stop();
        if (!pool.ended) await pool.end();
      },
    };
    this.runners.push(test);
    return test;
  }

  started(setup: RunnerSetup): TestRunner {
    const test = this.runner(setup);
    test.runner.start();
    return test;
  }

  projections(setup: RunnerSetup, wake?: () => void): PostgresProjections {
    return new PostgresProjections({
      pool: this.pool,
      log: setup.log,
      measure: setup.measure ?? measureByReading(setup.log),
      ...(setup.inline && { inline: setup.inline }),
      definitions: setup.definitions,
      ...(wake && { wake }),
    });
  }

  /** The rows of a table or view as text, in order. */
  async dump(relation: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ row: string }>(
      `select t::text as row from curfew.${relation} t order by t::text collate "C"`,
    );
    return rows.map(({ row }) => row);
  }

  async row(name: string, version: number): Promise<Record<string, unknown> | undefined> {
    const { rows } = await this.pool.query<Record<string, unknown>>(
      'select * from curfew.projections where name = $1 and version = $2',
      [name, version],
    );
    return rows[0];
  }

  async tables(like: string): Promise<string[]> {
    const { rows } = await this.pool.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'curfew'::regnamespace and relkind = 'r'
        and relname like $1 order by 1`,
      [like],
    );
    return rows.map(({ name }) => name);
  }

  /** Ends the projectors' sessions, as a crash of the server does to them. */
  async cutConnections(share = 1): Promise<void> {
    await this.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'projector' and datname = current_database() and random() < $1`,
      [share],
    );
  }

  /** Stops every runner of a test and forgets what was projected. */
  async reset(): Promise<void> {
    await this.stopRunners();
    const names = [...(await this.tables('probe%'))].map((name) => `curfew.${name}`);
    await this.pool.query(`drop table ${names.join()} cascade; truncate curfew.projections;
      truncate curfew.events, curfew.streams restart identity; ${probeMigration.sql}`);
  }

  async close(): Promise<void> {
    await this.stopRunners();
    await this.pool.end();
    await this.database.drop();
  }

  private async stopRunners(): Promise<void> {
    await Promise.all(this.runners.splice(0).map((runner) => runner.close()));
  }
}

export const statusOf = async (projections: PostgresProjections, name: string): Promise<ProjectionStatus> =>
  (await projections.status()).find((status) => status.name === name)!;

export const anEvent = (data: Record<string, unknown> = {}, recordedAt = 1_700_000_000_000): NewEvent => ({
  id: randomUUID(),
  type: 'session.rotated',
  schemaVersion: 2,
  data,
  metadata: {
    recordedAt,
    actor: { kind: 'system', id: 'test' },
    initiator: 'system',
    tenant: 'default',
    correlationId: 'c',
  },
});

/** Appends each event to the end of its stream. */
export class MemoryWriter {
  private readonly revisions = new Map<string, number>();
  constructor(readonly log: MemoryEventLog) {}

  async write(stream: string, ...events: readonly NewEvent[]): Promise<string> {
    const expectedRevision = this.revisions.get(stream) ?? -1;
    this.revisions.set(stream, expectedRevision + events.length);
    return this.log.append([{ stream, expectedRevision, events }]);
  }

  events(): RecordedEvent[] {
    return this.log.committedEvents().map(({ event }) => event);
  }
}
