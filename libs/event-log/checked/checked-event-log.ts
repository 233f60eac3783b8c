import type {
  EventLog,
  LogPage,
  NewEvent,
  Position,
  RecordedEvent,
  StreamAppend,
  StreamSlice,
  StreamSnapshot,
  StreamTail,
  SubscriptionMessage,
} from '#application';
import { assertEvent, assertEventMetadata, CURRENT_VERSION, isEventType, upcast } from '#contracts';

/**
 * A log in which every event fits its schema: what is appended is checked, and what is read comes as the current version,
 * whatever version was stored. Errors: besides the log's own, Error for an event that does not fit, before anything is written,
 * and for a stored event that this version of Curfew cannot read. Cost: some microseconds an event appended, a look-up an event
 * read.
 */
export class CheckedEventLog implements EventLog {
  constructor(private readonly log: EventLog) {}

  async append(appends: readonly StreamAppend[]): Promise<Position> {
    for (const { events } of appends) events.forEach(assertAppendable);
    return this.log.append(appends);
  }

  confirm(): Promise<void> {
    return this.log.confirm();
  }

  async readStream(stream: string, options?: { from?: number; max?: number }): Promise<StreamSlice> {
    return upcastSlice(await this.log.readStream(stream, options));
  }

  async readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamSlice>> {
    return upcastSlices(await this.log.readStreams(streams));
  }

  async readTails(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamTail>> {
    return upcastSlices(await this.log.readTails(streams, format));
  }

  keepSnapshot(snapshot: StreamSnapshot): void {
    this.log.keepSnapshot(snapshot);
  }

  async readAll(after: Position, max: number): Promise<LogPage> {
    return upcastSlice(await this.log.readAll(after, max));
  }

  subscribe(after: Position, signal: AbortSignal): AsyncIterable<SubscriptionMessage> {
    return upcastMessages(this.log.subscribe(after, signal));
  }
}

function assertAppendable({ type, schemaVersion, data, metadata }: NewEvent): void {
  // A reader of this version sees no other: an old one would have been upcast, a new one not understood.
  if (isEventType(type) && schemaVersion !== CURRENT_VERSION[type]) {
    throw new Error(`event ${type} is appended as v${CURRENT_VERSION[type]}, not as v${schemaVersion}`);
  }
  assertEvent(type, schemaVersion, data);
  assertEventMetadata(type, metadata);
}

/** The same object when nothing in it is old, which is nearly always. */
function upcastSlice<S extends { readonly events: readonly RecordedEvent[] }>(slice: S): S {
  const events = slice.events.map(upcast);
  return events.every((event, i) => event === slice.events[i]) ? slice : { ...slice, events };
}

const upcastSlices = <S extends StreamSlice>(slices: ReadonlyMap<string, S>): ReadonlyMap<string, S> =>
  new Map([...slices].map(([stream, slice]) => [stream, upcastSlice(slice)]));

async function* upcastMessages(messages: AsyncIterable<SubscriptionMessage>) {
  for await (const message of messages) {
    yield message.kind === 'event' ? { kind: 'event' as const, event: upcast(message.event) } : message;
  }
}
