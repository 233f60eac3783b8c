import { randomUUID } from 'node:crypto';
import type { ServerWritableStream } from '@grpc/grpc-js';
import streamsV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type {
  ReadReq,
  ReadResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { DoubleFaults } from './double-faults.js';
import type { DoubleStore, StoredDoubleEvent } from './double-store.js';
import {
  caughtUpAnswer,
  checkpointAnswer,
  confirmationAnswer,
  eventAnswer,
  fellBehindAnswer,
  streamNotFoundAnswer,
  unavailable,
} from './wire-messages.js';

type Call = ServerWritableStream<ReadReq, ReadResp>;
type Matches = (event: StoredDoubleEvent) => boolean;

/** A server's window of 32 events that a filter leaves out before it tells how far it has looked. */
const SEARCH_WINDOW = 32;
const END = (1n << 63n) - 1n;

/** `Streams.Read`: streams, `$all` and subscriptions to `$all`. */
export class ReadService {
  private readonly subscriptions = new Set<AllSubscriptionCall>();

  constructor(
    private readonly store: DoubleStore,
    private readonly faults: DoubleFaults,
  ) {}

  readonly read = (call: Call): void => {
    if (this.faults.refuse) {
      call.destroy(unavailable());
      return;
    }
    const options = call.request.getOptions()!;
    if (options.hasSubscription()) this.subscribe(call, options);
    else if (options.hasStream()) this.readStream(call, options);
    else this.readAll(call, options);
  };

  get subscriptionCount(): number {
    return this.subscriptions.size;
  }

  /** Open subscriptions stay open and deliver nothing more. */
  muteSubscriptions(): void {
    for (const subscription of this.subscriptions) subscription.mute();
  }

  /** Open subscriptions say that they fell behind and deliver nothing until `catchUp`. */
  fallBehind(): void {
    for (const subscription of this.subscriptions) subscription.fallBehind();
  }

  catchUp(): void {
    for (const subscription of this.subscriptions) subscription.catchUp();
  }

  private readStream(call: Call, options: ReadReq.Options): void {
    const from = options.getStream()!;
    const name = Buffer.from(from.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8');
    const events = this.store.stream(name);
    if (events === undefined) {
      call.write(streamNotFoundAnswer(name));
      call.end();
      return;
    }
    const max = Number(options.getCount());
    const revision = from.hasRevision() ? Number(from.getRevision()) : undefined;
    // Their revisions are contiguous: none is looked for, however long the stream is.
    const first = events[0]?.revision ?? 0;
    if (isBackwards(options)) {
      const end = revision === undefined ? events.length : Math.max(0, revision + 1 - first);
      answer(call, events.slice(Math.max(0, end - max), end).reverse(), max);
    } else {
      const begin = from.hasEnd() ? events.length : Math.max(0, (revision ?? 0) - first);
      answer(call, events.slice(begin, begin + max), max);
    }
  }

  private readAll(call: Call, options: ReadReq.Options): void {
    const from = startOf(options);
    const matches = filterOf(options);
    const { all } = this.store;
    if (isBackwards(options)) {
      const earlier = all.filter((event) => event.position < (from ?? END) && matches(event));
      answer(call, earlier.reverse(), Number(options.getCount()));
    } else {
      const first = firstAtOrAfter(all, from ?? 0n);
      const max = Number(options.getCount());
      const found: StoredDoubleEvent[] = [];
      for (let i = first; i < all.length && found.length < max; i += 1) {
        if (matches(all[i]!)) found.push(all[i]!);
      }
      answer(call, found, max);
    }
  }

  private subscribe(call: Call, options: ReadReq.Options): void {
    const last = this.store.all.at(-1)?.position ?? 0n;
    const after = options.getAll()!.hasEnd() ? last : (startOf(options) ?? -1n);
    const start = firstAtOrAfter(this.store.all, after + 1n) - this.faults.deliverAgain;
    const subscription = new AllSubscriptionCall(call, this.store, filterOf(options), Math.max(0, start));
    this.subscriptions.add(subscription);
    if (this.faults.muteNewSubscriptions) subscription.mute();
    const stop = this.store.onAppended(() => {
      const { deliveryDelayMs } = this.faults;
      if (deliveryDelayMs === 0) subscription.deliver();
      else setTimeout(() => subscription.deliver(), deliveryDelayMs);
    });
    call.on('cancelled', () => {
      stop();
      this.subscriptions.delete(subscription);
    });
    subscription.begin();
  }
}

class AllSubscriptionCall {
  private muted = false;
  private behind = false;
  private leftOut = 0;

  constructor(
    private readonly call: Call,
    private readonly store: DoubleStore,
    private readonly matches: Matches,
    /** Index of the next event. */
    private next: number,
  ) {}

  begin(): void {
    this.call.write(confirmationAnswer(randomUUID()));
    if (this.muted) return;
    this.deliver();
    this.call.write(caughtUpAnswer(this.end()));
  }

  deliver(): void {
    if (this.muted || this.behind) return;
    const { all } = this.store;
    for (; this.next < all.length; this.next += 1) {
      const event = all[this.next]!;
      if (this.matches(event)) {
        this.leftOut = 0;
        this.call.write(eventAnswer(event));
      } else if (++this.leftOut % SEARCH_WINDOW === 0) {
        this.call.write(checkpointAnswer(event.position));
      }
    }
  }

  mute(): void {
    this.muted = true;
  }

  fallBehind(): void {
    this.behind = true;
    if (!this.muted) this.call.write(fellBehindAnswer(this.end()));
  }

  catchUp(): void {
    this.behind = false;
    this.deliver();
    if (!this.muted) this.call.write(caughtUpAnswer(this.end()));
  }

  private end(): bigint {
    return this.store.all.at(-1)?.position ?? 0n;
  }
}

/** As fast as the reader takes them: a long answer holds up nobody else. */
function answer(call: Call, events: readonly StoredDoubleEvent[], max: number): void {
  const end = Math.min(max, events.length);
  let next = 0;
  const more = (): void => {
    while (next < end && !call.cancelled) {
      if (!call.write(eventAnswer(events[next++]!))) {
        call.once('drain', more);
        return;
      }
    }
    call.end();
  };
  more();
}

function firstAtOrAfter(all: readonly StoredDoubleEvent[], position: bigint): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.position < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

const isBackwards = (options: ReadReq.Options): boolean =>
  options.getReadDirection() === streamsV1.ReadReq.Options.ReadDirection.BACKWARDS;

function startOf(options: ReadReq.Options): bigint | undefined {
  const all = options.getAll()!;
  return all.hasPosition() ? BigInt(all.getPosition()!.getCommitPosition()) : undefined;
}

function filterOf(options: ReadReq.Options): Matches {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const onType = filter.hasEventType();
  const expression = (onType ? filter.getEventType() : filter.getStreamIdentifier())!;
  const regex = expression.getRegex() === '' ? undefined : new RegExp(expression.getRegex());
  const prefixes = expression.getPrefixList();
  return (event) => {
    const text = onType ? event.type : event.stream;
    return regex?.test(text) ?? prefixes.some((prefix) => text.startsWith(prefix));
  };
}
