import { randomUUID } from 'node:crypto';
import type {
  Barrier,
  Position,
  RevocationCursor,
  RevocationEvent,
  RevocationLog,
  RevocationPage,
} from '#application';
import { REVOCATION_EVENT_TYPES } from '#domain';
import { DedicatedConnection } from '#platform';
import { CurfewError } from '#contracts';
import { BookkeepingStream } from './bookkeeping.js';
import { within } from './deadline.js';
import { KurrentConnection } from './kurrent-connection.js';
import { BEGINNING, isEventPosition, later, parsePosition } from './kurrent-position.js';
import { endOfAll, onlyTypes, readAllAfter, type AllEvent } from './reads.js';
import { toRecordedEvent } from './recorded-event.js';
import { RevocationFeed } from './revocation-feed.js';

export interface KurrentRevocationLogOptions {
  /** KurrentDB's connection string. */
  readonly url: string;
  /** Of the PostgreSQL primary: barrier numbers, reference time, stored cursors. */
  readonly databaseUrl: string;
  /** Milliseconds after which a statement, and the wait for a barrier's event, is given up. 1,000 unless set. */
  readonly timeoutMs?: number;
}

const BARRIER_TYPE = '~barrier';
const REVOCATIONS = onlyTypes(REVOCATION_EVENT_TYPES);
const REVOCATIONS_AND_BARRIERS = onlyTypes([...REVOCATION_EVENT_TYPES, BARRIER_TYPE]);
const PAGE_EVENTS = 1_000;

const COUNT_BARRIER = {
  name: 'kurrentdb-barrier',
  text: `update curfew.barrier set n = n + 1, clock = greatest(clock, clock_timestamp())
    returning n::text as n, floor(extract(epoch from clock) * 1000)::text as reference_time`,
};

/**
 * The revocation follower's view of the log on KurrentDB (DESIGN §6). `$all` is in the order of the commits, so a cursor is a
 * position. A barrier takes its number and the reference time from PostgreSQL (its clock is the reference), then appends an
 * event and waits until that comes back through the one subscription that delivers the revocations: all that was acknowledged
 * before stands before it. In this order, so that of two barriers the one with the higher number has seen more. Needs
 * `eventLogMigrations` and `kurrentdbMigrations`. Connections of its own: load on the API does not delay barriers.
 */
export class KurrentRevocationLog implements RevocationLog {
  private readonly database: DedicatedConnection;
  private readonly connection: KurrentConnection;
  private readonly barriers: BookkeepingStream;
  private readonly feed: RevocationFeed;
  private readonly listeners = new Set<() => void>();
  private readonly timeoutMs: number;
  private busy = false;
  private closed = false;

  constructor(options: KurrentRevocationLogOptions) {
    this.timeoutMs = options.timeoutMs ?? 1_000;
    this.database = new DedicatedConnection(options.databaseUrl, {
      applicationName: 'curfew-revocations',
      statementTimeoutMs: this.timeoutMs,
      connectTimeoutMs: this.timeoutMs,
    });
    this.connection = new KurrentConnection(options.url, 'curfew-revocations');
    this.barriers = new BookkeepingStream(this.connection, 'curfew.barriers', BARRIER_TYPE);
    this.feed = new RevocationFeed({
      connection: this.connection,
      filter: REVOCATIONS_AND_BARRIERS,
      barrierType: BARRIER_TYPE,
      onRevoked: () => {
        for (const listener of [...this.listeners]) listener();
      },
    });
  }

  async cursorBefore(windowMs: number): Promise<RevocationCursor> {
    // The last barrier's clock, never ahead of reference time: the cursor is rather too old than too new.
    const { rows } = await this.database.query<{ position: string }>({
      name: 'kurrentdb-cursor-before',
      text: `select c.position from curfew.kurrentdb_cursors c
        where c.taken_at <= (select floor(extract(epoch from clock) * 1000) from curfew.barrier) - $1
        order by c.taken_at desc limit 1`,
      values: [windowMs],
    });
    return rows[0]?.position ?? BEGINNING;
  }

  read(after: RevocationCursor): Promise<RevocationPage> {
    return this.alone(async () => {
      const from = cursor(after);
      // Barriers move the cursor on, so that the next reading need not begin far back.
      const page = await readAllAfter(this.connection, from, PAGE_EVENTS, REVOCATIONS_AND_BARRIERS);
      const events = page.filter(({ type }) => type !== BARRIER_TYPE).map(toRevocation);
      const reached = page.at(-1)?.at ?? from;
      if (page.length < PAGE_EVENTS) return { events, cursor: reached };
      // Far back: there are many more barriers than revocations.
      const end = (await endOfAll(this.connection)) ?? reached;
      const rest = await this.stored(reached);
      return { events: [...events, ...rest], cursor: later(end, rest.at(-1)?.mark ?? reached) };
    });
  }

  barrier(after: RevocationCursor): Promise<Barrier> {
    return this.alone(async () => {
      const from = cursor(after);
      this.feed.forget(from);
      const { rows } = await this.database.durable<{ n: string; reference_time: string }>(COUNT_BARRIER);
      const [row] = rows;
      if (row === undefined) throw new Error('the barrier row is missing');
      await this.startFeed();
      const { beginning } = this.feed;
      const missing = from < beginning ? this.stored(from, beginning) : undefined;
      // Awaited below; a failure of the barrier comes first.
      missing?.catch(() => undefined);
      const position = await this.passed();
      const earlier = (await missing) ?? [];
      return {
        n: BigInt(row.n),
        referenceTime: Number(row.reference_time),
        events: [...earlier, ...this.feed.between(later(from, beginning), position)],
        cursor: later(from, position),
      };
    });
  }

  /** `referenceTime`: when the cursor had been taken at the latest; a later time is the safe error. */
  async rememberCursor(after: RevocationCursor, referenceTime: number, keepMs: number): Promise<void> {
    await this.database.query({
      name: 'kurrentdb-remember-cursor',
      text: `with remembered as (
          insert into curfew.kurrentdb_cursors (taken_at, position) values ($1, $2) on conflict do nothing
        )
        delete from curfew.kurrentdb_cursors where taken_at <
          (select max(taken_at) from curfew.kurrentdb_cursors where taken_at <= $1 - $3)`,
      values: [Math.floor(referenceTime), cursor(after), Math.ceil(keepMs)],
    });
  }

  /** A mark is the event's position. */
  shows(after: RevocationCursor, mark: string): boolean {
    return mark <= cursor(after);
  }

  isCursor(text: string): boolean {
    return isEventPosition(text);
  }

  onAppended(wake: () => void): () => void {
    const listener = (): void => wake();
    this.listeners.add(listener);
    this.startFeed().catch(() => undefined);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.feed.stop();
    await Promise.all([this.database.close(), this.connection.close()]);
  }

  /** Appends a barrier event and waits for it to come back. */
  private async passed(): Promise<Position> {
    const id = randomUUID();
    const began = performance.now();
    const barrier = this.feed.barrier(id);
    try {
      await this.barriers.append(id);
      return await within(this.timeoutMs, () => barrier.position);
    } catch (error) {
      this.feed.renewUnlessAlive(began);
      throw error instanceof CurfewError ? error : new CurfewError('ERR_UNAVAILABLE', { cause: error });
    } finally {
      barrier.forget();
    }
  }

  /** Revocations of `after` < position (≤ `upTo`), read from the store. */
  private async stored(after: Position, upTo?: Position): Promise<RevocationEvent[]> {
    const events: RevocationEvent[] = [];
    for (let from = after; ;) {
      const page = await readAllAfter(this.connection, from, PAGE_EVENTS, REVOCATIONS);
      const wanted = page.filter(({ at }) => upTo === undefined || at <= upTo);
      events.push(...wanted.map(toRevocation));
      if (page.length < PAGE_EVENTS || wanted.length < page.length) return events;
      from = page.at(-1)!.at;
    }
  }

  /** At the end of the store: what is before it is read, not waited for. */
  private async startFeed(): Promise<void> {
    if (this.feed.isRunning) return;
    const end = await endOfAll(this.connection);
    if (!this.closed) this.feed.start(end ?? BEGINNING);
  }

  /** Overlapping reads would mark as seen what one of them has not delivered yet. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.busy) throw new Error('a revocation log has one serial reader: calls must not overlap');
    this.busy = true;
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }
}

const toRevocation = (event: AllEvent): RevocationEvent => ({
  event: toRecordedEvent(event),
  mark: event.at,
});

/** @throws RangeError for what is no cursor. '' is the beginning. */
function cursor(text: RevocationCursor): Position {
  parsePosition(text);
  return text === '' ? BEGINNING : text;
}
