import type pg from 'pg';
import type { EventLog, Position, ProjectionName, RecordedEvent } from '#application';
import type { ProjectionClient, ProjectionDefinition } from './projection.js';

/** What projections read of the log. */
export type ProjectionLog = Pick<EventLog, 'readAll' | 'readStream' | 'subscribe'>;

/** The log's size, for operators. Counts what is committed, also what may not be read in order yet. */
export interface LogMeasure {
  /** The newest event; undefined while there is none. */
  newest(): Promise<{ readonly position: Position; readonly recordedAt: number } | undefined>;
  /** Events after `position`, counted up to `most`. */
  countAfter(position: Position, most: number): Promise<number>;
  /** How many events there are, by estimate. */
  size(): Promise<number>;
}

/** A log whose appends keep the inline projections in their own statement, through the views `curfew.<table>`. */
export interface InlineLog {
  /** Every committed event after `after` in order, also beyond what may be read in order yet, as `client` sees it. */
  readRest(client: ProjectionClient, after: Position): Promise<readonly RecordedEvent[]>;
}

export interface ProjectionAlarm {
  /**
   * - `paused`: an event cannot be applied, or the log does not have what was taken from it. Until an operator acts.
   * - `ownership-lost`: another instance has taken over from this one, which had stood still or was cut off. It stopped.
   * - `rebuild-failed`: the new version was given up; the live one is as before.
   * - `flip-delayed`: a rebuild is done but for the flip, which old transactions or readers hold up. It goes on trying.
   * - `unavailable`: PostgreSQL or the log could not be reached. It goes on trying.
   */
  readonly kind: 'paused' | 'ownership-lost' | 'rebuild-failed' | 'flip-delayed' | 'unavailable';
  readonly name: ProjectionName;
  readonly version: number;
  /** Class of the error, SQLSTATE or our own words. No data. */
  readonly error: string;
  /** How many times in a row, this one included. */
  readonly failures: number;
}

export interface ProjectionTiming {
  /** The owner says that it is alive at this interval, and the others look whether it is. 1,000 ms. */
  readonly heartbeatMs: number;
  /** An owner that was silent for this long, by the database's clock, is replaced. 5,000 ms. */
  readonly takeoverMs: number;
  /** A flip waits for locks at most this long before it steps back; appends of an inline projection wait behind it. 250 ms. */
  readonly lockMs: number;
  /** 50 ms, doubled up to 40 times as much. */
  readonly firstRetryMs: number;
}

export const PROJECTION_TIMING: ProjectionTiming = {
  heartbeatMs: 1_000,
  takeoverMs: 5_000,
  lockMs: 250,
  firstRetryMs: 50,
};

/** What followers and rebuilders share in an instance. */
export interface ProjectionRuntime {
  readonly pool: pg.Pool;
  readonly log: ProjectionLog;
  readonly measure: LogMeasure;
  readonly inline?: InlineLog;
  readonly timing: ProjectionTiming;
  alarm(alarm: ProjectionAlarm): void;
  /** Told after each commit. */
  committed(name: ProjectionName, version: number, events: number): void;
}

/** Kept by the appends themselves: nobody follows it, and its rebuild ends with all appends held for a moment. */
export const isKeptInline = (
  definition: ProjectionDefinition,
  { inline }: Pick<ProjectionRuntime, 'inline'>,
): boolean => definition.inline && inline !== undefined;
