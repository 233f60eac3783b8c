import {
  eventTypeFilter,
  START,
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  type KurrentDBClient,
} from '@kurrent/kurrentdb-client';
import type { Position } from '#application';
import { parsePosition, toPosition } from './kurrent-position.js';
import type { TypeFilter } from './reads.js';

export type FeedMessage =
  | { readonly kind: 'event'; readonly resolved: AllStreamResolvedEvent }
  /** All events up to now have been delivered. */
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'fell-behind' }
  /** Everything up to here that the filter lets through has been delivered. */
  | { readonly kind: 'checkpoint'; readonly position: Position };

/** Beyond this many waiting messages the server waits. */
const MOST_WAITING = 256;

/**
 * One subscription to `$all`, as messages in the order in which the server sent them: the client emits "caught up" and "fell
 * behind" beside its events, not among them. Ends with the connection; who holds it makes another.
 */
export class AllFeed {
  private readonly subscription: AllStreamSubscription;
  private readonly waiting: FeedMessage[] = [];
  private failure: Error | undefined;
  private wake: () => void = () => undefined;
  private closed = false;

  /** @param after exclusive */
  constructor(client: KurrentDBClient, after: Position, filter: TypeFilter) {
    const position = parsePosition(after);
    this.subscription = client.subscribeToAll({
      fromPosition: position.commit === 0n && position.prepare === 0n ? START : position,
      filter: eventTypeFilter({
        regex: filter,
        checkpointReached: (_, { commit, prepare }) => {
          this.add({ kind: 'checkpoint', position: toPosition({ commit, prepare }) });
        },
      }),
      requiresLeader: true,
    });
    this.subscription
      .on('readable', () => {
        if (this.waiting.length < MOST_WAITING) this.drain();
        this.wake();
      })
      .on('caughtUp', () => this.add({ kind: 'caught-up' }))
      .on('fellBehind', () => this.add({ kind: 'fell-behind' }))
      .on('end', () => this.fail(new Error('the server ended the subscription')))
      .on('error', (error: Error) => this.fail(error));
  }

  /** Messages that have come and were not taken. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /**
   * The next message; undefined when none has come for `ms`, or `signal` has aborted.
   * @throws what ended the subscription, after the messages that came before
   */
  async next(ms: number, signal: AbortSignal): Promise<FeedMessage | undefined> {
    if (this.waiting.length === 0) this.drain();
    if (this.waiting.length === 0 && this.failure === undefined) await this.arrival(ms, signal);
    const message = this.waiting.shift();
    if (message === undefined && this.failure !== undefined) throw this.failure;
    return message;
  }

  close(): void {
    this.closed = true;
    this.subscription.unsubscribe().catch(() => undefined);
  }

  /** What the client has buffered came before `message`. */
  private add(message: FeedMessage): void {
    this.drain();
    this.waiting.push(message);
    this.wake();
  }

  private drain(): void {
    for (;;) {
      const resolved = this.subscription.read() as AllStreamResolvedEvent | null;
      if (resolved === null) return;
      this.waiting.push({ kind: 'event', resolved });
    }
  }

  private fail(error: Error): void {
    if (this.closed) return;
    this.failure ??= error;
    this.wake();
  }

  private arrival(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
      this.wake = () => {
        this.drain();
        if (this.waiting.length > 0 || this.failure !== undefined) end();
      };
    });
  }
}
