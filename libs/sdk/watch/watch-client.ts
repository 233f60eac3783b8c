import type {
  OpenRevocationSource,
  RunningSource,
  SourceOptions,
  SourceSurroundings,
} from '../core/revocation-source.js';
import type { GrpcCall, GrpcConnection, StreamEnd } from './grpc-call.js';
import { decodeWatchResponse, encodeHello, encodeRenew, malformed, type Renewed } from './protobuf.js';
import { SentRenewals } from './sent-renewals.js';

const PATH = '/curfew.v1.RevocationService/Watch';

const RENEW_AFTER_MS = 500;
const MIN_RENEW_MS = 50;
const MIN_PATIENCE_MS = 250;
const MAX_PATIENCE_MS = 1500;
/** How many times as long a stream may leave renewals unanswered that brings revocations. */
const BUSY = 10;
const MAX_PATIENCE_TIMES = 4;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;
/** gRPC UNAVAILABLE: certainly not the cursor's fault. */
const UNAVAILABLE = 14;

/**
 * Keeps one Watch stream and the lease on it: renewals go out whether or not the last one was answered; a stream whose
 * renewals stay unanswered is replaced, at the next address, from the last cursor.
 */
class WatchClient implements RunningSource {
  readonly #options: SourceOptions;
  readonly #outside: SourceSurroundings;
  readonly #sent = new SentRenewals();
  readonly #patience: number;
  #renewAfter: number;
  #at: number;
  #connection: GrpcConnection | undefined;
  #call: GrpcCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cursor = '';
  #renewals = 0;
  #failures = 0;
  /** Of the stream at hand. */
  #applied = 0;
  #heardAt = 0;

  constructor(options: SourceOptions, outside: SourceSurroundings) {
    this.#options = options;
    this.#outside = outside;
    this.#patience = Math.min(Math.max(options.bound / 2, MIN_PATIENCE_MS), MAX_PATIENCE_MS);
    this.#renewAfter = this.#interval(RENEW_AFTER_MS);
    // So that a fleet spreads over the instances.
    this.#at = Math.floor(Math.random() * options.watch.length);
  }

  get #url(): string {
    return this.#options.watch[this.#at % this.#options.watch.length]!;
  }

  connect(): void {
    const { apiKey, nodeId, bound } = this.#options;
    const { clocks, dial } = this.#outside;
    this.#applied = 0;
    this.#heardAt = clocks.monotonic();
    try {
      this.#connection = dial(this.#url, apiKey);
      // Of a connection that was destroyed nothing comes any more.
      this.#call = this.#connection.call(PATH, {
        onMessage: (bytes) => this.#receive(bytes),
        onEnd: (end) => this.#fail(end),
      });
      this.#call.send(encodeHello(nodeId, this.#cursor, bound));
      this.#renew();
    } catch (error) {
      this.#fail({ message: String(error) });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#call = undefined;
    this.#sent.forget();
    this.#connection?.destroy();
  }

  #renew(): void {
    this.#renewals += 1;
    const call = this.#call;
    this.#sent.add(this.#renewals, this.#outside.lease.reading());
    call?.send(encodeRenew(this.#renewals, this.#applied));
    this.#timer = setTimeout(() => {
      // The answer may be here already, unread: the process was busy or stopped. Look after the sockets were read.
      setImmediate(() => {
        if (call && call === this.#call) this.#tick();
      });
    }, this.#renewAfter).unref();
  }

  #tick(): void {
    const now = this.#outside.clocks.monotonic();
    // Revocations that keep coming are progress, without limit before the first answer: that is the replay.
    // More patience each time: a service that is slow to answer a whole fleet would never get to the end of it.
    const patience = this.#patience * Math.min(this.#failures + 1, MAX_PATIENCE_TIMES);
    const silent = now - this.#heardAt >= patience;
    const limit = silent ? patience : this.#applied ? BUSY * patience : Infinity;
    if (now - this.#sent.waitingSince >= limit) this.#fail({ message: 'no answer to renewals' });
    else this.#renew();
  }

  #receive(bytes: Buffer): void {
    this.#heardAt = this.#outside.clocks.monotonic();
    try {
      const { revocation, renewed } = decodeWatchResponse(bytes);
      if (revocation) this.#outside.onRevocation(revocation);
      if (renewed) this.#renewed(renewed);
    } catch (error) {
      this.#fail({ message: String(error) });
    }
  }

  #renewed(renewed: Renewed): void {
    const { id, maxAccessTtlMs, referenceTimeMs } = renewed;
    if (!maxAccessTtlMs || !referenceTimeMs || !Number.isSafeInteger(referenceTimeMs)) throw malformed();
    const reading = this.#sent.answered(id);
    this.#failures = 0;
    this.#cursor = renewed.cursor;
    this.#renewAfter = this.#interval(renewed.renewAfterMs || RENEW_AFTER_MS);
    this.#outside.onRenewed({ ...renewed, via: 'watch', reading });
    // Told with the next renewal, for receipts: all before it is applied now.
    if (reading) this.#applied = id;
  }

  /** Three renewals fit into B whatever the service says, and it is not flooded. */
  #interval(milliseconds: number): number {
    return Math.max(Math.min(milliseconds, this.#options.bound / 3), MIN_RENEW_MS);
  }

  #fail(end: StreamEnd): void {
    this.close();
    // Refused at once, perhaps for its cursor: without one everything is replayed.
    if (!this.#applied && (end.status ?? UNAVAILABLE) !== UNAVAILABLE) this.#cursor = '';
    const backoff = Math.min(MIN_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.connect(), backoff * (0.5 + Math.random() / 2)).unref();
    this.#outside.onFailure('watch', this.#url, end);
    this.#at += 1;
  }
}

/** The source unless another one is named. */
export const watchSource: OpenRevocationSource = (options, outside) => new WatchClient(options, outside);
