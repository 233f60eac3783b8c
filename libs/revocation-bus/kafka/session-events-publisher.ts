import type { EventLog, Position, RecordedEvent } from '#application';
import { encodeSessionEvent, type PublishedEventRecord } from '#contracts';
import type { Timers } from '../timers.js';
import { Pause, within } from './within.js';

/** Memory: so many events wait at most; then the log is read no further. */
const MOST_WAITING = 1_000;
const MOST_IN_A_BATCH = 500;
const MOST_BYTES = 256 * 1024;
const PRODUCE_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;

/** One producer on the topic of the session events, connected. */
export interface EventsProducer {
  /** Rejects when not all are acknowledged; some may have been written, now or later. */
  send(records: readonly PublishedEventRecord[]): Promise<void>;
  /** Does not wait. */
  close(): void;
}

export interface SessionEventsOptions {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly timers: Timers;
  readonly open: () => Promise<EventsProducer>;
  /** `ce_source` of the records. */
  readonly source: string;
  /** Acknowledged up to there. */
  readonly position: Position;
  readonly onFailure: (error: unknown, failures: number) => void;
}

/**
 * Publishes every lifecycle event behind a position, in the log's order, at least once: what was not acknowledged is sent again.
 * One batch in flight. An event that this version cannot read stops it there; it goes on trying, and skips nothing.
 */
export class SessionEventsPublisher {
  /** Every event up to here was acknowledged. */
  position: Position;
  published = 0;
  failures = 0;
  private failuresInARow = 0;
  private waiting: RecordedEvent[] = [];
  /** Up to where there was nothing else, once all that waits is sent. */
  private readTo: Position;
  private producer: EventsProducer | undefined;
  private readonly grown: Pause;
  private readonly shrunk: Pause;
  private readonly rest: Pause;

  constructor(private readonly options: SessionEventsOptions) {
    this.position = options.position;
    this.readTo = options.position;
    this.grown = new Pause(options.timers);
    this.shrunk = new Pause(options.timers);
    this.rest = new Pause(options.timers);
  }

  /** Until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const close = (): void => [this.grown, this.shrunk, this.rest].forEach((pause) => pause.close());
    signal.addEventListener('abort', close);
    if (signal.aborted) close();
    await Promise.all([this.read(signal), this.send(signal)]);
    this.producer?.close();
  }

  private async read(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const message of this.options.log.subscribe(this.readTo, signal)) {
          if (signal.aborted) return;
          if (message.kind === 'event') this.waiting.push(message.event);
          this.readTo = message.kind === 'event' ? message.event.position : message.position;
          this.grown.end();
          while (this.waiting.length >= MOST_WAITING && !signal.aborted) await this.shrunk.wait();
        }
      } catch (error) {
        await this.failed(error);
      }
      await this.rest.sleep(FIRST_RETRY_MS);
    }
  }

  private async send(signal: AbortSignal): Promise<void> {
    const { timers, open } = this.options;
    while (!signal.aborted) {
      if (this.waiting.length === 0) {
        this.position = this.readTo;
        await this.grown.wait();
        continue;
      }
      try {
        const records = this.batch();
        this.producer ??= await opened(timers, open);
        await within(timers, PRODUCE_DEADLINE_MS, this.producer.send(records));
        this.acknowledged(records.length);
      } catch (error) {
        this.producer?.close();
        this.producer = undefined;
        if (!signal.aborted) await this.failed(error);
      }
    }
  }

  private batch(): PublishedEventRecord[] {
    const records: PublishedEventRecord[] = [];
    let bytes = 0;
    for (const event of this.waiting) {
      if (records.length === MOST_IN_A_BATCH || bytes > MOST_BYTES) break;
      const record = this.encoded(event, records.length);
      if (record === undefined) break;
      records.push(record);
      bytes += record.value.length;
    }
    return records;
  }

  /** What stands before an event that cannot be read is published first. */
  private encoded(event: RecordedEvent, before: number): PublishedEventRecord | undefined {
    try {
      return encodeSessionEvent(event, this.options.source);
    } catch (error) {
      if (before > 0) return undefined;
      throw error;
    }
  }

  private acknowledged(count: number): void {
    this.failuresInARow = 0;
    this.published += count;
    this.position = this.waiting[count - 1]!.position;
    this.waiting = this.waiting.slice(count);
    this.shrunk.end();
  }

  private async failed(error: unknown): Promise<void> {
    this.failures++;
    this.options.onFailure(error, ++this.failuresInARow);
    await this.rest.sleep(Math.min(FIRST_RETRY_MS * 2 ** (this.failuresInARow - 1), LAST_RETRY_MS));
  }
}

async function opened(timers: Timers, open: () => Promise<EventsProducer>): Promise<EventsProducer> {
  const opening = open();
  try {
    return await within(timers, PRODUCE_DEADLINE_MS, opening);
  } catch (error) {
    opening.then(
      (late) => late.close(),
      () => undefined,
    );
    throw error;
  }
}
