import type pg from 'pg';
import type { Position, ProjectionName, ViewFreshness } from '#application';
import { CurfewError } from '#contracts';
import { unavailableIfConnection } from '#platform';

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

/** Waits for views (G8). Cost: one query that all waiting calls share, at most one in `pollMs` and per wake-up. */
export class PostgresViewFreshness implements ViewFreshness {
  readonly lags: boolean;
  private reading: Promise<ReadonlyMap<string, Position>> | undefined;

  constructor(private readonly options: PostgresViewFreshnessOptions) {
    this.lags = !this.isInline('sessions');
  }

  async shows(view: ProjectionName, position: Position, waitMs: number): Promise<boolean> {
    if (position === '') return true;
    if (!this.options.isPosition(position)) {
      throw new CurfewError('ERR_VALIDATION', { field: 'atLeast', detail: 'not a position of this log' });
    }
    const end = performance.now() + waitMs;
    const wake = new PollWake(this.options);
    try {
      for (;;) {
        wake.reset();
        if (await this.showsNow(view, position)) return true;
        const left = end - performance.now();
        if (left <= 0) return false;
        await wake.wait(Math.min(left, this.options.pollMs ?? 25));
      }
    } catch (error) {
      throw unavailableIfConnection(error);
    } finally {
      wake.close();
    }
  }

  private isInline(view: ProjectionName): boolean {
    return this.options.inline?.views.includes(view) ?? false;
  }

  private async showsNow(view: ProjectionName, position: Position): Promise<boolean> {
    if (this.isInline(view)) return this.options.inline!.isCommitted(position);
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    const at = (await this.reading).get(view);
    return at !== undefined && at >= position;
  }

  private async read(): Promise<ReadonlyMap<string, Position>> {
    const { rows } = await this.options.pool.query<{ name: string; position: Position }>({
      name: 'projection-positions',
      text: `select name, position from curfew.projections where state in ('live', 'paused')`,
    });
    return new Map(rows.map(({ name, position }) => [name, position]));
  }
}

/** A wait that a commit of this process's projections cuts short. */
class PollWake {
  private rung = false;
  private end: (() => void) | undefined;
  private readonly stop: (() => void) | undefined;

  constructor({ onCommitted }: PostgresViewFreshnessOptions) {
    this.stop = onCommitted?.(() => {
      this.rung = true;
      this.end?.();
    });
  }

  reset(): void {
    this.rung = false;
  }

  async wait(ms: number): Promise<void> {
    if (this.rung) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.stop?.();
  }
}
