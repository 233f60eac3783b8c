import type { Clocks } from '../core/clocks.js';
import type { Lease } from '../core/lease.js';
import type { OpenWatchStream, StreamEnd, WatchStream } from './grpc-stream.js';
import { decodeWatchResponse, encodeHello, encodeRenew, type Renewed, type Revocation } from './protobuf.js';

const RENEW_AFTER_MS = 500;
const MIN_RENEW_MS = 50;
const MIN_PATIENCE_MS = 250;
const MAX_PATIENCE_MS = 1500;
/** How many times as long a stream may leave renewals unanswered that brings revocations. */
const BUSY = 10;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;
/** gRPC UNAVAILABLE: certainly not the cursor's fault. */
const UNAVAILABLE = 14;

export interface WatchOptions {
  /** Addresses of the gRPC door, used in turn. */
  readonly watch: readonly string[];
  readonly apiKey: string;
  readonly nodeId: string;
  /** B in milliseconds. */
  readonly bound: number;
}

export interface WatchSurroundings {
  readonly clocks: Clocks;
  readonly lease: Lease;
  readonly open: OpenWatchStream;
  readonly onRevocation: (revocation: Revocation) => void;
  /** To renew the lease is the last thing it does. */
  readonly onRenewed: (renewed: Renewed) => void;
  readonly onFailure: (url: string, end: StreamEnd) => void;
}

/**
 * Keeps one Watch stream and the lease on it: renewals go out whether or not the last one was answered; a stream whose
 * renewals stay unanswered is replaced, at the next address, from the last cursor.
 */
export class WatchClient {
  readonly #options: WatchOptions;
  readonly #outside: WatchSurroundings;
  readonly #patience: number;
  #renewAfter: number;
  #at: number;
  #stream: WatchStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cursor = '';
  #renewals = 0;
  #failures = 0;
  /** Of the stream at hand. */
  #answered = false;
  #heardAt = 0;

  constructor(options: WatchOptions, outside: WatchSurroundings) {
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
    const { apiKey, nodeId } = this.#options;
    const { clocks, open } = this.#outside;
    this.#answered = false;
    this.#heardAt = clocks.monotonic();
    try {
      const stream: WatchStream = open(this.#url, apiKey, {
        onMessage: (bytes) => {
          if (stream === this.#stream) this.#receive(bytes);
        },
        onEnd: (end) => {
          if (stream === this.#stream) this.#fail(end);
        },
      });
      this.#stream = stream;
      stream.send(encodeHello(nodeId, this.#cursor));
      this.#renew();
    } catch (error) {
      this.#fail({ message: String(error) });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    const stream = this.#stream;
    this.#stream = undefined;
    this.#outside.lease.forgetSent();
    stream?.destroy();
  }

  #renew(): void {
    this.#renewals += 1;
    this.#outside.lease.sent(this.#renewals);
    const stream = this.#stream;
    stream?.send(encodeRenew(this.#renewals));
    this.#timer = setTimeout(() => {
      // The answer may be here already, unread: the process was busy or stopped. Look after the sockets were read.
      setImmediate(() => {
        if (stream !== undefined && stream === this.#stream) this.#tick();
      });
    }, this.#renewAfter).unref();
  }

  #tick(): void {
    const now = this.#outside.clocks.monotonic();
    // Revocations that keep coming are progress, without limit before the first answer: that is the replay.
    const silent = now - this.#heardAt >= this.#patience;
    const limit = silent ? this.#patience : this.#answered ? BUSY * this.#patience : Infinity;
    if (now - this.#outside.lease.waitingSince >= limit) this.#fail({ message: 'no answer to renewals' });
    else this.#renew();
  }

  #receive(bytes: Buffer): void {
    this.#heardAt = this.#outside.clocks.monotonic();
    try {
      const { revocation, renewed } = decodeWatchResponse(bytes);
      if (revocation !== undefined) this.#outside.onRevocation(revocation);
      if (renewed !== undefined) this.#renewed(renewed);
    } catch (error) {
      this.#fail({ message: String(error) });
    }
  }

  #renewed(renewed: Renewed): void {
    const { maxAccessTtlMs, referenceTimeMs } = renewed;
    if (maxAccessTtlMs === 0 || referenceTimeMs === 0 || !Number.isSafeInteger(referenceTimeMs)) {
      throw new RangeError('incomplete renewal');
    }
    this.#answered = true;
    this.#failures = 0;
    this.#cursor = renewed.cursor;
    this.#renewAfter = this.#interval(renewed.renewAfterMs || RENEW_AFTER_MS);
    this.#outside.onRenewed(renewed);
  }

  /** Three renewals fit into B whatever the service says, and it is not flooded. */
  #interval(milliseconds: number): number {
    return Math.max(Math.min(milliseconds, this.#options.bound / 3), MIN_RENEW_MS);
  }

  #fail(end: StreamEnd): void {
    this.close();
    // Refused at once, perhaps for its cursor: without one everything is replayed.
    if (!this.#answered && (end.status ?? UNAVAILABLE) !== UNAVAILABLE) this.#cursor = '';
    const backoff = Math.min(MIN_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
    const url = this.#url;
    this.#at += 1;
    this.#timer = setTimeout(() => this.connect(), backoff * (0.5 + Math.random() / 2)).unref();
    this.#outside.onFailure(url, end);
  }
}
