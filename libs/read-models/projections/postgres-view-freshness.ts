import type pg from 'pg';
import type { Position, ProjectionName, ViewFreshness } from '#application';
import { CurfewError } from '#contracts';
import { unavailableIfConnection } from '#platform';
import { Wake } from './wake.js';

export interface PostgresViewFreshnessOptions {
  /** Of the primary; stays the caller's. */
  readonly pool: pg.Pool;
  /** Whether the text is a position of this log. */
  readonly isPosition: (text: string) => boolean;
  /** Views that the log's appends keep, and whether the transaction of a position has committed: then they show it. */
  readonly inline?: {
    readonly views: readonly ProjectionName[];
    readonly isCommitted: (position: Position) => Promise<boolean>;
  };
  /** Calls back when a projection of this process has moved on, so that nobody waits for the next poll. Returns a stop. */
  readonly onCommitted?: (wake: () => void) => () => void;
  /** 25 unless set. */
  readonly pollMs?: number;
}

interface Followed {
  readonly position: Position;
  readonly state: 'live' | 'paused';
}

/** Calls that may wait at once; who comes on top is told at once that the view is behind. */
const MOST_WAITING = 256;

/** Waits for views (G8). Cost: one query that all waiting calls share, at most one in `pollMs` and per wake-up. */
export class PostgresViewFreshness implements ViewFreshness {
  readonly lags: boolean;
  private reading: Promise<ReadonlyMap<string, Followed>> | undefined;
  private waiting = 0;

  constructor(private readonly options: PostgresViewFreshnessOptions) {
    this.lags = !this.isInline('sessions');
  }

  async shows(view: ProjectionName, position: Position, waitMs: number): Promise<boolean> {
    if (position === '') return true;
    if (!this.options.isPosition(position)) {
      throw new CurfewError('ERR_VALIDATION', { field: 'atLeast', detail: 'not a position of this log' });
    }
    const end = performance.now() + waitMs;
    const wake = new Wake();
    const stop = this.options.onCommitted?.(() => wake.ring());
    try {
      for (;;) {
        const seen = await this.showsNow(view, position);
        if (seen !== 'not-yet') return seen === 'shown';
        const left = end - performance.now();
        if (left <= 0 || this.waiting >= MOST_WAITING) return false;
        this.waiting += 1;
        await wake.wait(Math.min(left, this.options.pollMs ?? 25)).finally(() => (this.waiting -= 1));
      }
    } catch (error) {
      throw unavailableIfConnection(error);
    } finally {
      stop?.();
    }
  }

  private isInline(view: ProjectionName): boolean {
    return this.options.inline?.views.includes(view) ?? false;
  }

  private async showsNow(view: ProjectionName, position: Position): Promise<'shown' | 'not-yet' | 'paused'> {
    if (this.isInline(view)) {
      return (await this.options.inline!.isCommitted(position)) ? 'shown' : 'not-yet';
    }
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    const followed = (await this.reading).get(view);
    if (followed !== undefined && followed.position >= position) return 'shown';
    // Nothing moves until an operator acts: nobody waits for that.
    return followed?.state === 'paused' ? 'paused' : 'not-yet';
  }

  private async read(): Promise<ReadonlyMap<string, Followed>> {
    const { rows } = await this.options.pool.query<Followed & { name: string }>({
      name: 'projection-positions',
      text: `select name, position, state from curfew.projections where state in ('live', 'paused')`,
    });
    return new Map(rows.map((row) => [row.name, row]));
  }
}
