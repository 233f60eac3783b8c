import type pg from 'pg';
import type { HeldHorizon, OnAlarm } from '../alarm.js';

export interface HorizonWatchOptions {
  readonly pool: pg.Pool;
  readonly onAlarm: OnAlarm;
  /** 5,000 unless set. */
  readonly pollMs?: number;
  /** A transaction that is open for longer raises the alarm. 10 unless set. */
  readonly limitSeconds?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic?: () => number;
}

export interface HorizonStats {
  /** How long the horizon has been held back, seconds; 0 if it is not. Undefined if the last look failed, or there was none. */
  readonly heldSeconds: number | undefined;
  readonly held: HeldHorizon | undefined;
  /** Times that the limit was passed. */
  readonly episodes: number;
}

interface HolderRow {
  readonly kind: HeldHorizon['by'];
  readonly xid: string;
  readonly behind: number;
  readonly seconds: number | null;
  readonly pid: number | null;
  readonly database: string | null;
}

/** Takes no id itself. Everybody may see ids and ages of ids; the start of others' transactions only with pg_read_all_stats. */
const OLDEST = {
  name: 'horizon-holder',
  text: `select kind, xid::text as xid, age(xid) - 1 as behind, pid, database,
      extract(epoch from clock_timestamp() - since)::float8 as seconds
    from (
      select 'transaction' as kind, backend_xid as xid, xact_start as since, pid, datname::text as database
      from pg_stat_activity where backend_xid is not null
      union all
      select 'prepared-transaction', transaction, prepared, null, database::text from pg_prepared_xacts
    ) h order by age(xid) desc limit 1`,
};

/**
 * Looks every few seconds for how long the oldest transaction holds back everything that reads the log in order. The alarm
 * comes once per episode: again only after a look that found no transaction beyond the limit. Revocations do not wait for the
 * horizon. Cost: one small query per poll.
 */
export class HorizonWatch {
  private readonly limitSeconds: number;
  private readonly monotonic: () => number;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private closed = false;
  private held: HeldHorizon | undefined;
  private known = false;
  private alarmed = false;
  private episodes = 0;
  private seen: { readonly xid: string; readonly since: number } | undefined;

  constructor(private readonly options: HorizonWatchOptions) {
    this.limitSeconds = options.limitSeconds ?? 10;
    this.monotonic = options.monotonic ?? (() => performance.now());
  }

  start(): void {
    if (this.closed || this.timer !== undefined) return;
    this.timer = setInterval(() => {
      // A look that is not answered is not joined by others.
      this.looking ??= this.look().finally(() => (this.looking = undefined));
    }, this.options.pollMs ?? 5_000);
    this.timer.unref();
  }

  /** As of the last look. */
  stats(): HorizonStats {
    const heldSeconds = this.known ? (this.held?.seconds ?? 0) : undefined;
    return { heldSeconds, held: this.held, episodes: this.episodes };
  }

  /** Looks now. Never rejects: a server that does not answer is for others to report. */
  async look(): Promise<void> {
    try {
      const { rows } = await this.options.pool.query<HolderRow>(OLDEST);
      this.known = true;
      this.found(rows[0]);
    } catch {
      this.known = false;
      this.held = undefined;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await this.looking;
  }

  private found(row: HolderRow | undefined): void {
    this.held = row && this.holder(row);
    if (row === undefined) this.seen = undefined;
    if (this.held === undefined || this.held.seconds <= this.limitSeconds) {
      this.alarmed = false;
      return;
    }
    if (this.alarmed) return;
    this.alarmed = true;
    this.episodes += 1;
    this.options.onAlarm({ kind: 'horizon-held', held: this.held });
  }

  /** Where the start may not be seen, it is counted from when this watch saw the id first. */
  private holder({ kind, xid, behind, seconds, pid, database }: HolderRow): HeldHorizon {
    if (this.seen?.xid !== xid) this.seen = { xid, since: this.monotonic() };
    const watched = (this.monotonic() - this.seen.since) / 1_000;
    return {
      by: kind,
      seconds: Math.max(seconds ?? 0, watched),
      transactionsBehind: behind,
      ...(pid !== null && { pid }),
      ...(database !== null && { database }),
    };
  }
}
