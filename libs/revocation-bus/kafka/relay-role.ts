import type { RevocationCursor, RevocationLog } from '#application';
import type { DedicatedConnection } from '#platform';
import { BarrierReferenceClock } from '../barrier-reference-clock.js';
import { RevocationFollower, type FollowerAlarm } from '../revocation-follower.js';
import type { Timers } from '../timers.js';
import type { LanePublisher, OpenLanePublisher } from './lane-publisher.js';
import { Leadership } from './leadership.js';
import { Relay, type RelayEnd, type RelayStats } from './relay.js';
import { beginTerm, storeCheckpoint, Superseded, type BegunTerm } from './relay-record.js';
import { Pause, within } from './within.js';

const CHECKPOINT_EVERY_MS = 1_000;
const RETRY_MS = 1_000;
/** After giving the lock back because the broker cannot be reached from here: others try first. */
const STAND_ASIDE_MS = 3_000;
const OPEN_DEADLINE_MS = 5_000;
const OPEN_PATIENCE_MS = 15_000;

/** The log as a leadership reads it. */
interface RelayLog {
  readonly log: RevocationLog;
  close(): Promise<void>;
}

/**
 * @param connection holds the lock; a log that is in PostgreSQL is read on it
 * @param checkpoint what it does not show is read first
 */
export type OpenRelayLog = (
  connection: DedicatedConnection,
  checkpoint: RevocationCursor | undefined,
) => RelayLog;

/** What runs beside a leadership and ends with it. */
type BesideTheRelay = (
  begun: BegunTerm,
  connection: DedicatedConnection,
  signal: AbortSignal,
) => Promise<void>;

export type RelayNews =
  | {
      readonly kind: 'leads';
      readonly incarnation: number;
      readonly streamId: string;
      readonly lanes: number;
    }
  | { readonly kind: 'led'; readonly incarnation: number; readonly why: RelayEnd | 'lock-lost' }
  | {
      readonly kind: 'produce-failed' | 'unreachable' | 'database-failed';
      readonly error: unknown;
      readonly failures: number;
    }
  | { readonly kind: 'follower'; readonly alarm: FollowerAlarm };

export interface RelayRoleOptions {
  /** Of the PostgreSQL primary: the lock and the record. */
  readonly databaseUrl: string;
  readonly timers: Timers;
  readonly open: OpenLanePublisher;
  readonly openLog: OpenRelayLog;
  readonly beside?: BesideTheRelay;
  readonly maxAccessTtl: number;
  readonly heartbeatEveryMs: number;
  readonly source: string;
  readonly giveUpAfterMs?: number;
  readonly onNews: (news: RelayNews) => void;
}

export interface RelayRoleStats extends RelayStats {
  readonly leader: boolean;
  readonly incarnation: number | undefined;
}

/**
 * The role `relay` of an instance: waits for the lock, and while it holds it, publishes. It waits for ever for PostgreSQL and
 * for the broker, and nothing waits for it.
 */
export class RelayRole {
  private readonly stopping = new AbortController();
  private readonly pause: Pause;
  private running: Promise<void> | undefined;
  private current: { readonly relay: Relay; readonly begun: BegunTerm } | undefined;
  private leads = false;
  private readonly past = { revocations: 0, heartbeats: 0, failures: 0 };

  constructor(private readonly options: RelayRoleOptions) {
    this.pause = new Pause(options.timers);
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Gives the lock back. Resolves when nothing is under way but what the broker may still do. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.pause.close();
    this.current?.relay.stop();
    await this.running;
  }

  /** Counts since the start of the instance. */
  stats(): RelayRoleStats {
    const now = this.current?.relay.stats();
    return {
      leader: this.leads,
      incarnation: this.current?.begun.term.incarnation,
      revocations: this.past.revocations + (now?.revocations ?? 0),
      heartbeats: this.past.heartbeats + (now?.heartbeats ?? 0),
      failures: this.past.failures + (now?.failures ?? 0),
      behind: now?.behind ?? 0,
      heartbeatAgeMs: now?.heartbeatAgeMs,
    };
  }

  private async run(): Promise<void> {
    const { databaseUrl, timers, onNews } = this.options;
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      let leadership: Leadership | undefined;
      let restMs = RETRY_MS;
      try {
        leadership = await Leadership.acquire(databaseUrl, timers, this.stopping.signal);
        this.leads = leadership !== undefined;
        failures = 0;
        if (leadership && (await this.lead(leadership)) === 'unreachable') restMs = STAND_ASIDE_MS;
      } catch (error) {
        onNews({ kind: 'database-failed', error, failures: ++failures });
      }
      this.leads = false;
      leadership?.end();
      await this.pause.sleep(restMs);
    }
  }

  /** One leadership after the other, as long as the lock is held. */
  private async lead(leadership: Leadership): Promise<RelayEnd | 'lock-lost'> {
    let why: RelayEnd | 'lock-lost' = 'lock-lost';
    for (;;) {
      const publisher = await this.opened(leadership.lost);
      if (publisher === undefined) return leadership.lost.aborted ? 'lock-lost' : 'unreachable';
      let begun: BegunTerm;
      try {
        begun = await beginTerm(leadership.connection, {
          ends: publisher.ends,
          isAnew: why === 'topic-anew',
        });
      } catch (error) {
        publisher.close();
        throw error;
      }
      why = await this.term(leadership, begun, publisher);
      if (why !== 'topic-anew' && why !== 'truncated' && why !== 'fell-behind') return why;
    }
  }

  private async opened(lost: AbortSignal): Promise<LanePublisher | undefined> {
    const { timers, open, onNews } = this.options;
    const began = timers.monotonic();
    for (let failures = 1; !lost.aborted && !this.stopping.signal.aborted; failures++) {
      const opening = open();
      try {
        return await within(timers, OPEN_DEADLINE_MS, opening);
      } catch (error) {
        opening.then(
          (late) => late.close(),
          () => undefined,
        );
        onNews({ kind: 'unreachable', error, failures });
      }
      if (timers.monotonic() - began > OPEN_PATIENCE_MS) return undefined;
      await this.pause.sleep(RETRY_MS);
    }
    return undefined;
  }

  private async term(
    leadership: Leadership,
    begun: BegunTerm,
    publisher: LanePublisher,
  ): Promise<RelayEnd | 'lock-lost'> {
    const { timers, maxAccessTtl, onNews } = this.options;
    const opened = this.options.openLog(leadership.connection, begun.checkpoint);
    const follower = new RevocationFollower({
      log: opened.log,
      clock: new BarrierReferenceClock(timers),
      timers,
      maxAccessTtl,
      onAlarm: (alarm) => onNews({ kind: 'follower', alarm }),
    });
    const relay = this.relay(follower, begun, publisher);
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, leadership.lost, this.stopping.signal]);
    signal.addEventListener('abort', () => relay.stop());
    if (signal.aborted) relay.stop();
    this.current = { relay, begun };
    onNews({ kind: 'leads', ...begun.term });
    const running = relay.run();
    void follower.start();
    const checkpoints = this.keepCheckpoints(leadership, begun, relay, signal);
    const beside = this.options.beside?.(begun, leadership.connection, signal);
    let end: RelayEnd;
    try {
      end = await running;
    } finally {
      over.abort();
      await Promise.allSettled([follower.stop(), checkpoints, beside]);
      await opened.close();
      this.ended(relay);
    }
    const why = leadership.lost.aborted ? 'lock-lost' : end;
    onNews({ kind: 'led', incarnation: begun.term.incarnation, why });
    return why;
  }

  private relay(
    follower: RevocationFollower,
    { term, nextOffsets }: BegunTerm,
    publisher: LanePublisher,
  ): Relay {
    const { timers, open, maxAccessTtl, heartbeatEveryMs, source, giveUpAfterMs, onNews } = this.options;
    return new Relay({
      follower,
      timers,
      term,
      nextOffsets,
      open,
      publisher,
      maxAccessTtl,
      heartbeatEveryMs,
      source,
      ...(giveUpAfterMs === undefined ? {} : { giveUpAfterMs }),
      onFailure: (error, failures) => onNews({ kind: 'produce-failed', error, failures }),
    });
  }

  private async keepCheckpoints(
    leadership: Leadership,
    { term }: BegunTerm,
    relay: Relay,
    signal: AbortSignal,
  ): Promise<void> {
    const pause = new Pause(this.options.timers);
    signal.addEventListener('abort', () => pause.close());
    let stored: Relay['checkpoint'];
    while (!signal.aborted) {
      await pause.sleep(CHECKPOINT_EVERY_MS);
      const { checkpoint } = relay;
      if (checkpoint === undefined || checkpoint === stored || leadership.lost.aborted) continue;
      try {
        await storeCheckpoint(leadership.connection, term, checkpoint);
        stored = checkpoint;
      } catch (error) {
        // Another one has begun: whatever this session believes, it is over.
        if (error instanceof Superseded) leadership.end();
      }
    }
  }

  private ended(relay: Relay): void {
    const { revocations, heartbeats, failures } = relay.stats();
    this.past.revocations += revocations;
    this.past.heartbeats += heartbeats;
    this.past.failures += failures;
    this.current = undefined;
  }
}
