import type { Position, RevocationEvent } from '#application';
import { AllFeed, type FeedMessage } from './all-feed.js';
import { pause } from './deadline.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { toPosition } from './kurrent-position.js';
import type { TypeFilter } from './reads.js';
import { toRecordedEvent } from './recorded-event.js';

const FIRST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 500;
const SILENCE_MS = 5_000;
/** With more waiting than this, nobody reads: the feed stops until somebody does. */
const MOST_EVENTS = 10_000;

export interface RevocationFeedOptions {
  readonly connection: KurrentConnection;
  /** Revocations and barriers. */
  readonly filter: TypeFilter;
  readonly barrierType: string;
  /** Called when revocations have come. */
  readonly onRevoked: () => void;
}

/**
 * The one subscription of a revocation log: revocations and barriers in the order of `$all`. Holds every revocation of
 * `base` < position ≤ `delivered`. Goes on from `delivered` after each failure.
 */
export class RevocationFeed {
  private base: Position = '';
  private delivered: Position = '';
  private events: RevocationEvent[] = [];
  private readonly awaited = new Map<string, (position: Position) => void>();
  private running: AbortController | undefined;
  private current: AbortController | undefined;
  private lastMessage = -Infinity;

  constructor(private readonly options: RevocationFeedOptions) {}

  /** Starts after `position` unless it runs. What is not after that must be read from the store. */
  start(position: Position): void {
    if (this.running !== undefined) return;
    this.base = this.delivered = position;
    this.events = [];
    this.running = new AbortController();
    void this.run(this.running.signal);
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Everything after this position has been kept. */
  get beginning(): Position {
    return this.base;
  }

  stop(): void {
    this.running?.abort();
    this.running = undefined;
    this.current?.abort();
  }

  /** The position of the barrier with this event id, once it has come. `forget` ends the wait. */
  barrier(id: string): { readonly position: Promise<Position>; readonly forget: () => void } {
    const position = new Promise<Position>((resolve) => this.awaited.set(id, resolve));
    return { position, forget: () => this.awaited.delete(id) };
  }

  /** Makes the subscription anew, unless something has come since `since` (monotonic): then it is only late. */
  renewUnlessAlive(since: number): void {
    if (this.lastMessage < since) this.current?.abort();
  }

  /** Revocations of `after` < position ≤ `upTo`. */
  between(after: Position, upTo: Position): RevocationEvent[] {
    return this.events.filter(({ mark }) => mark > after && mark <= upTo);
  }

  /** Nobody will ask for what is not after `position`. */
  forget(position: Position): void {
    if (position <= this.base) return;
    this.base = position;
    this.events = this.events.filter(({ mark }) => mark > position);
  }

  private async run(signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const before = this.delivered;
      await this.deliver(signal).catch(() => undefined);
      retryMs = this.delivered > before ? FIRST_RETRY_MS : Math.min(2 * retryMs, LONGEST_RETRY_MS);
      await pause(retryMs, signal);
    }
  }

  /** One subscription, until it fails or is given up. */
  private async deliver(signal: AbortSignal): Promise<void> {
    const { connection, filter } = this.options;
    const given = (this.current = new AbortController());
    const ended = AbortSignal.any([signal, given.signal]);
    const client = connection.client();
    const feed = new AllFeed(client, this.delivered, filter);
    try {
      while (!ended.aborted) {
        const message = await feed.next(SILENCE_MS, ended);
        if (message !== undefined && !ended.aborted) this.take(message);
      }
    } finally {
      feed.close();
      if (!signal.aborted) connection.replace(client);
    }
  }

  private take(message: FeedMessage): void {
    this.lastMessage = performance.now();
    if (message.kind !== 'event') return;
    const { event } = message.resolved;
    if (event?.position === undefined) return;
    const position = toPosition(event.position);
    if (position <= this.delivered) return;
    if (event.type === this.options.barrierType) {
      this.delivered = position;
      this.awaited.get(event.id)?.(position);
      return;
    }
    this.events.push({ event: toRecordedEvent(event), mark: position });
    this.delivered = position;
    this.options.onRevoked();
    if (this.events.length > MOST_EVENTS) this.stop();
  }
}
