import { randomBytes } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { decodeLaneRecord, type LaneRecord } from '#contracts';
import type { Reading } from '../core/lease.js';
import type { RunningSource, SourceOptions, SourceSurroundings } from '../core/revocation-source.js';
import { watchSource } from '../watch/watch-client.js';
import type { KafkaClient } from './kafka-client.js';
import type { KafkaDiagnosticKind, KafkaSourceStats } from './kafka-revocations.types.js';
import { LaneConsumer } from './lane-consumer.js';
import type { StreamView } from './lane.js';
import { Lanes } from './lanes.js';
import { RenewClient } from './renew-client.js';
import type { RenewAnswer } from './renew-messages.js';
import { Restarts } from './restarts.js';
import { revocationOf } from './revocation-of.js';
import { WatchFallback } from './watch-fallback.js';

/** Added to `maxAccessTtl`: what the deny-list keeps, and the relay republishes (DESIGN §6). */
const MARGIN_MS = 60_000;
const TICK_MS = 100;

export interface KafkaSourceSettings {
  readonly client: () => KafkaClient;
  readonly topic: string;
  readonly groupPrefix: string;
  readonly maxWaitTimeInMs: number;
  readonly fallback: boolean;
  readonly tell: (kind: KafkaDiagnosticKind, message: string) => void;
}

const sameStream = (one: StreamView, other: StreamView): boolean =>
  one.streamId === other.streamId && one.lanes === other.lanes;

/** Revocations from Kafka, the lease from `Renew` and heartbeats (DESIGN §6), and Watch beside them when they fail. */
export class KafkaSource implements RunningSource {
  readonly #settings: KafkaSourceSettings;
  readonly #options: SourceOptions;
  readonly #outside: SourceSurroundings;
  readonly #renew: RenewClient;
  readonly #fallback: WatchFallback;
  readonly #restarts: Restarts;
  readonly #counts = { records: 0, gaps: 0, consumers: 0, renewals: 0 };
  #timer: NodeJS.Timeout | undefined;
  #answer: RenewAnswer | undefined;
  #consumer: LaneConsumer | undefined;
  /** Undefined until the consumer at hand is pinned. */
  #lanes: Lanes | undefined;
  #stream: StreamView | undefined;
  #applied: { readonly cursor: string; readonly from: number } | undefined;
  #closed = false;

  constructor(settings: KafkaSourceSettings, options: SourceOptions, outside: SourceSurroundings) {
    this.#settings = settings;
    this.#options = options;
    this.#outside = outside;
    const { clocks } = outside;
    this.#renew = new RenewClient(options, outside, {
      appliedCursor: () => (this.#holdsLease() ? this.#applied!.cursor : ''),
      onAnswer: (answer, reading) => this.#answered(answer, reading),
      onFailure: (url, end) => outside.onFailure('kafka', url, end),
    });
    this.#fallback = new WatchFallback(
      () => watchSource(options, outside),
      clocks.monotonic(),
      (change) =>
        settings.tell(change, change === 'fallback-opened' ? 'no renewal over Kafka' : 'Kafka renews'),
    );
    this.#restarts = new Restarts(clocks, () => this.#consume());
  }

  connect(): void {
    this.#renew.start();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#restarts.close();
    this.#renew.close();
    this.#fallback.close();
    return this.#consumer?.close() ?? Promise.resolve();
  }

  stats(): KafkaSourceStats {
    return { ...this.#counts, fallback: this.#fallback.isOpen };
  }

  #holdsLease(): boolean {
    const { bound } = this.#options;
    return this.#applied !== undefined && this.#outside.clocks.monotonic() - this.#applied.from < bound;
  }

  #tick(): void {
    if (!this.#settings.fallback) return;
    const now = this.#outside.clocks.monotonic();
    this.#fallback.tick(now, this.#renew.interval + this.#options.bound / 3);
  }

  #answered(answer: RenewAnswer, reading: Reading): void {
    const wasNothing = this.#answer !== undefined && this.#answer.stream === undefined;
    this.#answer = answer;
    const { stream } = answer;
    if (stream === undefined) {
      // Said once: until the first relay leads, every answer says so.
      if (!wasNothing) this.#fail('kafka-failed', 'the service publishes nothing to Kafka');
      return;
    }
    if (this.#stream === undefined) this.#restarts.now();
    else if (!sameStream(stream, this.#stream)) {
      this.#fail('stream-changed', `stream ${stream.streamId} with ${stream.lanes} lanes`);
      this.#restarts.soon();
    } else {
      const since = this.#outside.clocks.monotonic() - this.#options.bound;
      this.#lanes?.await(answer.barrier, reading, since, answer.referenceTimeMs);
      this.#settle();
    }
  }

  /** Begins anew: another consumer in another group, pinned at the window as it is now. */
  #consume(): void {
    const { topic, groupPrefix, maxWaitTimeInMs, client } = this.#settings;
    const { stream, referenceTimeMs, maxAccessTtlMs } = this.#answer ?? {};
    // Of a stream that is gone; the next answer that names one begins anew.
    this.#stream = stream;
    if (this.#closed || stream === undefined) return;
    void this.#consumer?.close();
    this.#lanes = undefined;
    this.#counts.consumers += 1;
    const settings = {
      topic,
      // Never shared, whoever has the same name: each node must see every record.
      groupId: `${groupPrefix}${this.#options.nodeId}-${randomBytes(6).toString('hex')}`,
      lanes: stream.lanes,
      since: referenceTimeMs! - maxAccessTtlMs! - MARGIN_MS,
      maxWaitTimeInMs,
    };
    const consumer: LaneConsumer = new LaneConsumer(client(), settings, this.#outside.clocks, {
      onPinned: (pins) => {
        if (consumer === this.#consumer) this.#lanes = new Lanes(stream, pins);
      },
      onRecord: (lane, message) => {
        if (consumer === this.#consumer) this.#read(lane, message);
      },
      onRejoin: () => this.#settings.tell('rejoined', settings.groupId),
      onEnd: (reason) => {
        if (consumer !== this.#consumer) return;
        this.#lanes = undefined;
        this.#fail('consumer-ended', reason);
        this.#restarts.soon();
      },
    });
    this.#consumer = consumer;
    consumer.start();
  }

  #read(lane: number, { offset, timestamp, headers, value }: KafkaMessage): void {
    this.#counts.records += 1;
    let record: LaneRecord;
    try {
      record = decodeLaneRecord(headers ?? {}, value);
      const { content } = record;
      if (content.kind === 'revocation')
        this.#outside.onRevocation(revocationOf(content.published.revocation));
    } catch (error) {
      // A parser's message quotes the value, where a `sub` may stand.
      const reason = error instanceof RangeError ? error.message : 'no JSON';
      // Not taken: if it was a record of the stream, its sequence is missing now, and the next one shows a gap.
      return this.#fail('unreadable-record', `lane ${lane}, offset ${offset}: ${reason}`);
    }
    const verdict = this.#lanes?.take(lane, { offset: BigInt(offset), timestamp: Number(timestamp) }, record);
    if (verdict === 'gap') this.#gap(lane, offset);
    if (verdict === 'next' && record.content.kind === 'heartbeat') this.#settle();
  }

  #gap(lane: number, offset: string): void {
    if (!this.#restarts.soon()) return;
    this.#counts.gaps += 1;
    this.#fail('gap', `lane ${lane}, before offset ${offset}`);
  }

  /** A heartbeat or a barrier arrived. */
  #settle(): void {
    const renewal = this.#lanes?.renewed();
    if (renewal === undefined) return;
    const { reading, heartbeat } = renewal;
    const { referenceTimeMs, maxAccessTtlMs } = this.#answer!;
    this.#counts.renewals += 1;
    this.#applied = { cursor: heartbeat.cursor, from: reading.monotonic };
    // A higher incarnation has closed the gap, if there was one.
    this.#restarts.worked();
    this.#fallback.renewed(reading.monotonic);
    this.#outside.onRenewed({
      via: 'kafka',
      reading,
      ageMs: 0,
      cursor: heartbeat.cursor,
      referenceTimeMs: Math.max(referenceTimeMs, heartbeat.referenceTimeMs),
      maxAccessTtlMs,
    });
  }

  #fail(kind: KafkaDiagnosticKind, message: string): void {
    this.#settings.tell(kind, message);
    this.#outside.onFailure('kafka', this.#settings.topic, { message: `${kind}: ${message}` });
  }
}
