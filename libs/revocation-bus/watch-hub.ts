import type {
  AnsweredBarrier,
  FollowedRevocations,
  RevocationCursors,
  RevocationListener,
} from './followed-revocations.js';
import { HURRIED_RENEWAL_MS, renewalPeriod } from './renewal-period.js';
import type { TimerHandle, Timers } from './timers.js';
import {
  WatchSubscriber,
  type CutReason,
  type WatchSubscriberOptions,
  type WatchSubscription,
} from './watch-subscriber.js';

/** How many revocations a subscriber looks at in one turn, so that a long replay delays nobody else. */
const TURN = 512;
const TURNS_AT_ONCE = 8;

export interface WatchHubOptions {
  readonly follower: FollowedRevocations;
  readonly log: RevocationCursors;
  readonly timers: Timers;
  /** Told to nodes, unless a barrier brings another. */
  readonly maxAccessTtl: number;
  /** A subscriber that does not drain for so long is cut. Default 5,000 ms. */
  readonly maxBlockedMs?: number;
  /** A subscriber that does not drain and is behind by more than so many revocations is cut. Default 10,000. */
  readonly maxBehind?: number;
}

export interface WatchStats {
  readonly subscribers: number;
  readonly blocked: number;
  /** Revocations that the slowest subscriber has yet to get; a replay not counted. */
  readonly maxBehind: number;
  readonly subscribed: number;
  readonly renewals: number;
  readonly answered: number;
  readonly cut: Readonly<Record<CutReason, number>>;
}

/**
 * The Watch streams of an instance, independent of their transport (DESIGN §6 and §7). All subscribers read the follower's
 * memory, each at its own place: no queue is copied, there is no gap between replay and live, and a slow one delays nobody.
 */
export class WatchHub implements RevocationListener {
  private readonly subscribers = new Set<WatchSubscriber>();
  /** Renewals that the next barrier answers: the newest id of each subscriber. */
  private waiting = new Map<WatchSubscriber, string>();
  /** Renewals that arrived before the barrier under way began. */
  private inFlight = new Map<WatchSubscriber, string>();
  /** Subscribers whose turn ended before they had all. */
  private readonly unfinished = new Set<WatchSubscriber>();
  private turns: TimerHandle | undefined;
  private stopped = false;
  private readonly counts = { subscribed: 0, renewals: 0, answered: 0 };
  private readonly cuts: Record<CutReason, number> = { slow: 0, 'send-failed': 0, stopping: 0 };
  private readonly unlisten: () => void;

  constructor(private readonly options: WatchHubOptions) {
    this.unlisten = options.follower.listen(this);
  }

  /** Replays what the cursor does not show, then goes on live. May call `send` and `close` before it returns. */
  subscribe(options: WatchSubscriberOptions): WatchSubscription {
    const { follower, log } = this.options;
    const renewAfterMs = renewalPeriod(this.counts.subscribed++);
    const subscriber = new WatchSubscriber(options, renewAfterMs, follower.memory, log);
    this.subscribers.add(subscriber);
    if (this.stopped) this.cut(subscriber, 'stopping');
    else this.pump(subscriber);
    return {
      renew: (id, applied) => {
        this.renew(subscriber, id, applied);
      },
      drained: () => {
        subscriber.blockedSince = undefined;
        this.pump(subscriber);
      },
      close: () => {
        this.forget(subscriber);
      },
    };
  }

  /** Cuts every subscriber, so that its node goes to another instance. */
  stop(): void {
    this.stopped = true;
    this.unlisten();
    for (const subscriber of this.subscribers) this.cut(subscriber, 'stopping');
    if (this.turns !== undefined) this.options.timers.clearTimeout(this.turns);
    this.turns = undefined;
  }

  stats(): WatchStats {
    const all = [...this.subscribers];
    return {
      subscribers: all.length,
      blocked: all.filter(({ blockedSince }) => blockedSince !== undefined).length,
      maxBehind: all.reduce((most, { behind }) => Math.max(most, behind), 0),
      ...this.counts,
      cut: { ...this.cuts },
    };
  }

  barrierBegins(): void {
    this.inFlight = this.waiting;
    this.waiting = new Map();
  }

  revoked(): void {
    for (const subscriber of this.subscribers) this.pump(subscriber);
  }

  barrierAnswered({ cursor, referenceTime, ageMs = 0, maxAccessTtl }: AnsweredBarrier): void {
    const answered = this.inFlight;
    this.inFlight = new Map();
    for (const [subscriber, id] of answered) {
      subscriber.answer({
        id,
        cursor,
        referenceTimeMs: referenceTime,
        maxAccessTtlMs: maxAccessTtl ?? this.options.maxAccessTtl,
        renewAfterMs: subscriber.options.node?.isAwaited ? HURRIED_RENEWAL_MS : subscriber.renewAfterMs,
        ageMs,
      });
      this.counts.answered++;
      this.pump(subscriber);
    }
    this.cutSlow();
  }

  /** Nobody is answered. A renewal that arrived before the failed barrier has arrived before the next one too. */
  barrierFailed(): void {
    for (const [subscriber, id] of this.inFlight) {
      if (!this.waiting.has(subscriber)) this.waiting.set(subscriber, id);
    }
    this.inFlight = new Map();
    this.cutSlow();
  }

  private renew(subscriber: WatchSubscriber, id: string, applied: string | undefined): void {
    if (subscriber.ended) return;
    subscriber.heard(applied);
    this.counts.renewals++;
    this.waiting.set(subscriber, id);
    this.options.follower.requestBarrier();
  }

  private pump(subscriber: WatchSubscriber): void {
    // Its turn comes; without this, each publication would give every replay under way a turn at once.
    if (this.unfinished.has(subscriber)) return;
    try {
      if (subscriber.pump(TURN, this.options.timers)) {
        this.unfinished.add(subscriber);
        this.scheduleTurns();
      }
    } catch {
      this.cut(subscriber, 'send-failed');
    }
  }

  private scheduleTurns(): void {
    this.turns ??= this.options.timers.setTimeout(() => {
      this.turns = undefined;
      for (const subscriber of [...this.unfinished].slice(0, TURNS_AT_ONCE)) {
        // Who is not done after it goes to the end of the row.
        if (this.unfinished.delete(subscriber)) this.pump(subscriber);
      }
      if (this.unfinished.size > 0) this.scheduleTurns();
    }, 0);
  }

  private cutSlow(): void {
    const { timers, maxBlockedMs = 5_000, maxBehind = 10_000 } = this.options;
    const now = timers.monotonic();
    for (const subscriber of this.subscribers) {
      if (subscriber.blockedSince === undefined) continue;
      if (now - subscriber.blockedSince > maxBlockedMs || subscriber.behind > maxBehind) {
        this.cut(subscriber, 'slow');
      }
    }
  }

  private cut(subscriber: WatchSubscriber, reason: CutReason): void {
    if (subscriber.ended) return;
    this.forget(subscriber);
    this.cuts[reason]++;
    subscriber.options.close(reason);
  }

  private forget(subscriber: WatchSubscriber): void {
    subscriber.ended = true;
    this.subscribers.delete(subscriber);
    this.waiting.delete(subscriber);
    this.inFlight.delete(subscriber);
    this.unfinished.delete(subscriber);
  }
}
