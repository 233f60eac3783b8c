import type {
  LiveRevocations,
  RevocationCursor,
  RevocationLog,
  RevocationPage,
  TokenSession,
} from '#application';
import { startStopwatch } from '#platform';
import type { BarrierReferenceClock } from './barrier-reference-clock.js';
import type { FollowedRevocations, RevocationListener } from './followed-revocations.js';
import { FollowerSchedule } from './follower-schedule.js';
import { RevocationMemory } from './revocation-memory.js';
import { toRevocationMessage } from './revocation-message.js';
import type { TimerHandle, Timers } from './timers.js';

/** Beyond `maxAccessTtl`, revocations are kept and replayed for this much longer (DESIGN §6). */
export const REPLAY_MARGIN_MS = 60_000;
const REMEMBER_EVERY_MS = 5_000;

export interface FollowerAlarm {
  readonly kind: 'barrier-failed' | 'read-failed' | 'remember-failed';
  readonly error: unknown;
  /** How many barriers and reads in a row have failed, this one included; 0 for `remember-failed`. */
  readonly failures: number;
}

export interface RevocationFollowerOptions {
  readonly log: RevocationLog;
  readonly clock: BarrierReferenceClock;
  readonly timers: Timers;
  readonly maxAccessTtl: number;
  /** Called at every failure; nodes go stale unless the next barrier succeeds in time. */
  readonly onAlarm?: (alarm: FollowerAlarm) => void;
}

/**
 * The one serial reader of the log's revocations in an instance (DESIGN §6). Plain reads keep it close to the log; barriers
 * let it vouch for having seen everything. Cost: one barrier per 50 ms at most, one per second when idle, and a read per
 * wake-up, at least one in 200 ms.
 */
export class RevocationFollower implements FollowedRevocations, Pick<LiveRevocations, 'isRevoked'> {
  readonly memory: RevocationMemory;
  private readonly schedule: FollowerSchedule;
  private readonly listeners = new Set<RevocationListener>();
  private readonly counts = { barriers: 0, reads: 0, failures: 0, revocations: 0 };
  private cursor: RevocationCursor | undefined;
  /** Of the last answered barrier. */
  private barrierCursor: RevocationCursor | undefined;
  private lastBarrier = -1n;
  private rememberedAt: number | undefined;
  private stopped = false;
  private running: Promise<void> | undefined;
  private firstBarrier: () => void = () => undefined;
  private wakeUp: () => void = () => undefined;

  constructor(private readonly options: RevocationFollowerOptions) {
    this.memory = new RevocationMemory(this.windowMs);
    this.schedule = new FollowerSchedule(options.timers);
  }

  /** How long a revocation is remembered, milliseconds of reference time. */
  get windowMs(): number {
    return this.options.maxAccessTtl + REPLAY_MARGIN_MS;
  }

  /** Resolves when the first barrier was answered, or on `stop`. A store that cannot be reached is tried again for ever. */
  start(): Promise<void> {
    if (this.running || this.stopped) throw new Error('a revocation follower starts once');
    const ready = new Promise<void>((resolve) => (this.firstBarrier = resolve));
    const unsubscribe = this.options.log.onAppended(() => {
      this.schedule.appended();
      this.wakeUp();
    });
    this.running = this.run().finally(unsubscribe).finally(this.firstBarrier);
    return ready;
  }

  /** Resolves when no call to the log is under way and no timer is left. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeUp();
    await this.running;
  }

  /** Returns a stop. */
  listen(listener: RevocationListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks for a barrier that has not begun yet. */
  requestBarrier(): void {
    if (this.schedule.requestBarrier()) this.wakeUp();
  }

  isRevoked(session: TokenSession): boolean {
    return this.memory.isRevoked(session);
  }

  /** Counters since the start, and how many revocations are in memory. */
  stats(): Readonly<Record<'barriers' | 'reads' | 'failures' | 'revocations' | 'remembered', number>> {
    return { ...this.counts, remembered: this.memory.end - this.memory.begin };
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const due = this.schedule.next();
      if (due.inMs > 0) await this.sleep(due.inMs);
      else if (due.kind === 'barrier') await this.barrier();
      else await this.read();
    }
  }

  private sleep(ms: number): Promise<void> {
    const { timers } = this.options;
    return new Promise((resolve) => {
      let handle: TimerHandle | undefined = undefined;
      const end = () => {
        this.wakeUp = () => undefined;
        if (handle !== undefined) timers.clearTimeout(handle);
        resolve();
      };
      this.wakeUp = end;
      handle = timers.setTimeout(end, Math.ceil(ms));
    });
  }

  private async read(): Promise<void> {
    this.schedule.readBegins();
    try {
      const page = await this.options.log.read(await this.startingCursor());
      this.schedule.readEnded();
      this.counts.reads++;
      this.publish(page);
    } catch (error) {
      this.failed('read-failed', error);
    }
  }

  private async barrier(): Promise<void> {
    const { log, clock, timers } = this.options;
    try {
      const after = await this.startingCursor();
      if (this.stopped) return;
      this.schedule.barrierBegins();
      const sinceBegan = startStopwatch(timers);
      for (const listener of this.listeners) listener.barrierBegins?.();
      const { events, ...barrier } = await log.barrier(after);
      this.schedule.readEnded();
      if (barrier.n <= this.lastBarrier) {
        throw new Error(
          `barrier ${barrier.n.toString()} after ${this.lastBarrier.toString()}: the log went back`,
        );
      }
      this.lastBarrier = barrier.n;
      this.memory.barrier(barrier.referenceTime);
      this.publish({ events, cursor: barrier.cursor });
      clock.barrierAnswered(barrier.referenceTime, sinceBegan);
      this.counts.barriers++;
      for (const listener of this.listeners) listener.barrierAnswered?.(barrier);
      this.firstBarrier();
      const vouched = this.barrierCursor;
      this.barrierCursor = barrier.cursor;
      if (vouched !== undefined) await this.remember(vouched, barrier.referenceTime);
    } catch (error) {
      this.schedule.barrierFailed();
      for (const listener of this.listeners) listener.barrierFailed?.();
      this.failed('barrier-failed', error);
    }
  }

  private async startingCursor(): Promise<RevocationCursor> {
    return (this.cursor ??= await this.options.log.cursorBefore(this.windowMs));
  }

  /** Only what is queued for every subscriber counts as seen: the cursor comes last. */
  private publish(page: RevocationPage): void {
    if (page.events.length > 0) {
      const revocations = page.events.map(({ event, mark }) => ({
        message: toRevocationMessage(event),
        mark,
        at: event.metadata.recordedAt,
      }));
      const readAt = this.options.timers.monotonic();
      for (const { message, mark, at } of revocations) {
        if (this.memory.add(message, mark, { at, readAt })) this.counts.revocations++;
      }
      for (const listener of this.listeners) listener.revoked();
    }
    this.cursor = page.cursor;
    this.schedule.succeeded();
  }

  /**
   * The cursor of the barrier before, with the time of this one: at that time at the latest the cursor was taken. (A barrier's
   * own cursor is later than its time, by minutes if the store pauses in between, and would look too old.)
   */
  private async remember(cursor: RevocationCursor, referenceTime: number): Promise<void> {
    const now = this.options.timers.monotonic();
    this.rememberedAt ??= now;
    if (now - this.rememberedAt < REMEMBER_EVERY_MS || this.stopped) return;
    this.rememberedAt = now;
    try {
      await this.options.log.rememberCursor(cursor, referenceTime, this.windowMs);
    } catch (error) {
      this.alarm({ kind: 'remember-failed', error, failures: 0 });
    }
  }

  private failed(kind: FollowerAlarm['kind'], error: unknown): void {
    this.counts.failures++;
    this.alarm({ kind, error, failures: this.schedule.failed() });
  }

  private alarm(alarm: FollowerAlarm): void {
    if (!this.stopped) this.options.onAlarm?.(alarm);
  }
}
