import type pg from 'pg';
import type { Position, ProjectionName, Projections, ProjectionStatus } from '#application';
import { CurfewError } from '#contracts';
import { unavailableIfConnection } from '#platform';
import { registerProjections, type LastEvent } from './checkpoints.js';
import type { ProjectionFailure } from './failure.js';
import type { ProjectionDefinition } from './projection.js';
import { isKeptInline, type InlineLog, type LogMeasure, type ProjectionLog } from './runtime.js';
import { inTransaction } from './transaction.js';

export interface PostgresProjectionsOptions {
  /** Of the primary; stays the caller's. */
  readonly pool: pg.Pool;
  readonly log: Pick<ProjectionLog, 'readAll'>;
  readonly measure: LogMeasure;
  /** As the runner's. */
  readonly inline?: InlineLog;
  readonly definitions: readonly ProjectionDefinition[];
  /** Tells this process's runner, if it has one; others look every second. */
  readonly wake?: () => void;
}

interface ProjectionRow {
  readonly name: ProjectionName;
  readonly version: number;
  readonly state: 'live' | 'paused' | 'building' | 'failed';
  readonly position: Position;
  readonly last: LastEvent | null;
  readonly failure: ProjectionFailure | null;
  readonly events_done: string;
  readonly events_total: string;
}

const MOST_LAG_EVENTS = 100_000;

/** The projections as operators see them, out of `curfew.projections`. */
export class PostgresProjections implements Projections {
  private registered: Promise<void> | undefined;

  constructor(private readonly options: PostgresProjectionsOptions) {}

  /** Cost: one query, and per followed projection a count of what it is behind. */
  async status(): Promise<readonly ProjectionStatus[]> {
    return available(async () => {
      const { pool, definitions } = this.options;
      await this.register();
      const { rows } = await pool.query<ProjectionRow>(
        `select name, version, state, position, last, failure, events_done, events_total from curfew.projections
          where state in ('live', 'paused', 'building', 'failed') order by version`,
      );
      return Promise.all(
        definitions.map((definition) =>
          this.statusOf(
            definition,
            rows.filter(({ name }) => name === definition.name),
          ),
        ),
      );
    });
  }

  async resume(name: string): Promise<void> {
    const { name: known } = this.definition(name);
    await available(() =>
      this.options.pool.query(
        `update curfew.projections set state = 'live', failure = null, owner = null, updated_at = clock_timestamp()
          where name = $1 and state = 'paused'`,
        [known],
      ),
    );
    this.options.wake?.();
  }

  async rebuild(name: string): Promise<void> {
    const { name: known } = this.definition(name);
    await available(async () => {
      await this.register();
      const size = await this.options.measure.size();
      await inTransaction(this.options.pool, async (client) => {
        // One that failed is not gone on with: its cause may be in what it has taken in.
        await client.query({
          text: `update curfew.projections set state = case when has_tables then 'retired' else 'dropped' end
            where name = $1 and state = 'failed'`,
          values: [known],
        });
        await client.query({
          text: `insert into curfew.projections (name, version, state, has_tables, events_total)
            select $1, max(version) + 1, 'building', false, $2 from curfew.projections where name = $1
            on conflict do nothing`,
          values: [known, size],
        });
      });
    });
    this.options.wake?.();
  }

  /** Once: a status is asked for at every scrape. */
  private register(): Promise<void> {
    const { pool, definitions } = this.options;
    const names = definitions.map(({ name }) => name);
    this.registered ??= registerProjections(pool, names).catch((error: unknown) => {
      this.registered = undefined;
      throw error;
    });
    return this.registered;
  }

  private definition(name: string): ProjectionDefinition {
    const definition = this.options.definitions.find((candidate) => candidate.name === name);
    if (definition === undefined) throw new CurfewError('ERR_NOT_FOUND');
    return definition;
  }

  private async statusOf(
    definition: ProjectionDefinition,
    rows: readonly ProjectionRow[],
  ): Promise<ProjectionStatus> {
    const active = rows.find(({ state }) => state === 'live' || state === 'paused');
    if (active === undefined) throw new Error(`projection ${definition.name} has no active version`);
    const { version, failure } = active;
    const rebuild = await this.rebuildOf(rows.findLast((row) => row.version > version));
    const inline = isKeptInline(definition, this.options);
    return {
      name: definition.name,
      state: active.state === 'paused' ? 'paused' : 'live',
      inline,
      version,
      ...(inline ? await this.neverBehind() : await this.lag(active)),
      ...(failure && { failure }),
      ...(rebuild && { rebuild }),
    };
  }

  private async neverBehind(): Promise<Pick<ProjectionStatus, 'position' | 'lagMs' | 'lagEvents'>> {
    return { position: (await this.options.measure.newest())?.position ?? '', lagMs: 0, lagEvents: 0 };
  }

  private async lag({
    position,
    last,
  }: ProjectionRow): Promise<Pick<ProjectionStatus, 'position' | 'lagMs' | 'lagEvents'>> {
    const { measure, log } = this.options;
    const lagEvents = await this.countAfter(position);
    if (lagEvents === 0) return { position, lagMs: 0, lagEvents };
    const newest = await measure.newest();
    // Before the first event, it is behind by the age of the log.
    const taken = last?.recordedAt ?? (await log.readAll('', 1)).events[0]?.metadata.recordedAt;
    const lagMs = newest === undefined || taken === undefined ? 0 : Math.max(0, newest.recordedAt - taken);
    return { position, lagMs, lagEvents };
  }

  /** A checkpoint of another store's log is behind all of this one; the follower pauses there and says so. */
  private async countAfter(position: Position): Promise<number> {
    try {
      return await this.options.measure.countAfter(position, MOST_LAG_EVENTS);
    } catch (error) {
      if (error instanceof RangeError) return MOST_LAG_EVENTS;
      throw error;
    }
  }

  private async rebuildOf(row: ProjectionRow | undefined): Promise<ProjectionStatus['rebuild']> {
    if (row === undefined) return undefined;
    const eventsDone = Number(row.events_done);
    const left = await this.countAfter(row.position);
    const { failure } = row;
    return {
      version: row.version,
      state: row.state === 'failed' ? 'failed' : 'building',
      eventsDone,
      eventsTotal: Math.max(left < MOST_LAG_EVENTS ? 0 : Number(row.events_total), eventsDone + left),
      ...(failure && {
        error: `${failure.error}${failure.eventType && ` (${failure.eventType} ${failure.eventId})`}`,
      }),
    };
  }
}

async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailableIfConnection(error);
  }
}
