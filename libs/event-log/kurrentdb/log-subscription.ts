import type { Position, RecordedEvent, SubscriptionMessage } from '#application';
import { isCurfewError } from '#contracts';
import { AllFeed, type FeedMessage } from './all-feed.js';
import { pause } from './deadline.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { fromClient } from './kurrent-errors.js';
import { later } from './kurrent-position.js';
import { LOG_EVENTS, readAllAfter } from './reads.js';
import { toRecordedEvent } from './recorded-event.js';

/** After so long without a message the log is read, to see whether the subscription has missed something. */
const SILENCE_MS = 1_000;
/** After so many silences a subscription is made anew, whatever the reading says. */
const MOST_SILENCES = 30;
const PROBE_EVENTS = 100;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

export interface SubscriptionConnections {
  readonly subscriptions: KurrentConnection;
  readonly reads: KurrentConnection;
}

/**
 * `EventLog.subscribe` over `$all`. The position of the last event delivered decides what comes next, whatever a subscription
 * does: an event at or below it is dropped, and a new subscription begins right after it.
 */
export async function* subscribeToLog(
  connections: SubscriptionConnections,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionMessage, void, undefined> {
  const progress = new Progress(after);
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      for await (const message of oneSubscription(connections, progress, signal)) {
        retryMs = FIRST_RETRY_MS;
        yield message;
        if (signal.aborted) return;
      }
    } catch (error) {
      const mapped = fromClient(error);
      if (!isCurfewError(mapped, 'ERR_UNAVAILABLE') && !isEndOfFeed(mapped)) throw mapped;
      await pause(retryMs, signal);
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
    }
  }
}

/** How far one subscription after the other has come. */
class Progress {
  /** Of the last event delivered. */
  position: Position;
  /** Nothing of the log lies between the position and here. */
  seen: Position;

  constructor(after: Position) {
    this.position = this.seen = after;
  }

  delivers(event: RecordedEvent): boolean {
    if (event.position <= this.position) return false;
    this.position = event.position;
    this.seen = later(this.seen, event.position);
    return true;
  }

  passes(message: FeedMessage): void {
    if (message.kind === 'checkpoint') this.seen = later(this.seen, message.position);
  }
}

/** Until it fails, or turns out to be half-open. */
async function* oneSubscription(
  { subscriptions, reads }: SubscriptionConnections,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionMessage, void, undefined> {
  const client = subscriptions.client();
  const feed = new AllFeed(client, progress.seen, LOG_EVENTS);
  let live = false;
  let silences = 0;
  try {
    while (!signal.aborted) {
      const message = await feed.next(SILENCE_MS, signal);
      if (signal.aborted) return;
      const events = message === undefined ? await missedEvents(reads, progress) : eventsOf(message);
      for (const event of events) if (progress.delivers(event)) yield { kind: 'event', event };
      if (message === undefined) {
        silences += 1;
        if (events.length === 0 && silences < MOST_SILENCES) continue;
        subscriptions.replace(client);
        return;
      }
      silences = 0;
      progress.passes(message);
      live = isLive(message, live);
      if (live && message.kind !== 'checkpoint' && feed.waitingCount === 0) {
        yield { kind: 'caught-up', position: progress.position };
      }
    }
  } catch (error) {
    subscriptions.replace(client);
    throw error;
  } finally {
    feed.close();
  }
}

function eventsOf(message: FeedMessage): RecordedEvent[] {
  const event = message.kind === 'event' ? message.resolved.event : undefined;
  return event === undefined ? [] : [toRecordedEvent(event)];
}

function isLive({ kind }: FeedMessage, before: boolean): boolean {
  if (kind === 'caught-up') return true;
  return kind === 'fell-behind' ? false : before;
}

async function missedEvents(reads: KurrentConnection, { seen }: Progress): Promise<RecordedEvent[]> {
  return (await readAllAfter(reads, seen, PROBE_EVENTS, LOG_EVENTS)).map(toRecordedEvent);
}

const isEndOfFeed = (error: unknown): boolean =>
  error instanceof Error && error.message === 'the server ended the subscription';
