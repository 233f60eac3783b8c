import type { Reading } from '../core/lease.js';
import type { SourceOptions, SourceSurroundings } from '../core/revocation-source.js';
import type { GrpcCall, GrpcConnection, StreamEnd } from '../watch/grpc-call.js';
import { decodeRenewResponse, encodeRenewRequest, type RenewAnswer } from './renew-messages.js';

const PATH = '/curfew.v1.RevocationService/Renew';
const RENEW_AFTER_MS = 500;
const MIN_RENEW_MS = 50;
const MIN_DEADLINE_MS = 250;
const MAX_DEADLINE_MS = 1500;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;

export interface RenewHandlers {
  /** For receipts: what the node has applied by now; '' if it holds no lease. */
  appliedCursor(): string;
  /** @param reading taken before the call was sent. */
  onAnswer(answer: RenewAnswer, reading: Reading): void;
  onFailure(url: string, end: StreamEnd): void;
}

/** Calls `Renew` at the pace that the service asks for, one call at a time on one kept connection; after a failure at the next address. */
export class RenewClient {
  readonly #options: SourceOptions;
  readonly #outside: Pick<SourceSurroundings, 'lease' | 'dial' | 'clocks'>;
  readonly #handlers: RenewHandlers;
  readonly #deadline: number;
  #interval: number;
  #at: number;
  #failures = 0;
  #connection: GrpcConnection | undefined;
  #call: GrpcCall | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    options: SourceOptions,
    outside: Pick<SourceSurroundings, 'lease' | 'dial' | 'clocks'>,
    handlers: RenewHandlers,
  ) {
    this.#options = options;
    this.#outside = outside;
    this.#handlers = handlers;
    this.#deadline = Math.min(Math.max(options.bound / 3, MIN_DEADLINE_MS), MAX_DEADLINE_MS);
    this.#interval = this.#paced(RENEW_AFTER_MS);
    // So that a fleet spreads over the instances.
    this.#at = Math.floor(Math.random() * options.watch.length);
  }

  /** Milliseconds between two renewals. */
  get interval(): number {
    return this.#interval;
  }

  start(): void {
    this.#renew();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#call = undefined;
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  get #url(): string {
    return this.#options.watch[this.#at % this.#options.watch.length]!;
  }

  #renew(): void {
    const { apiKey, nodeId, bound } = this.#options;
    let answered = false;
    try {
      this.#connection ??= this.#outside.dial(this.#url, apiKey);
      const request = encodeRenewRequest({ nodeId, bound, appliedCursor: this.#handlers.appliedCursor() });
      const reading = this.#outside.lease.reading();
      const call: GrpcCall = this.#connection.call(PATH, {
        onMessage: (bytes) => {
          if (call !== this.#call || answered) return;
          answered = true;
          this.#answer(bytes, reading);
        },
        onEnd: (end) => {
          if (call === this.#call) this.#fail(end);
        },
      });
      this.#call = call;
      this.#wait(call, this.#deadline, () => this.#fail({ message: 'no answer to a renewal' }));
      call.send(request, true);
    } catch (error) {
      this.#fail({ message: String(error) });
    }
  }

  #answer(bytes: Buffer, reading: Reading): void {
    try {
      const answer = decodeRenewResponse(bytes);
      this.#failures = 0;
      this.#interval = this.#paced(answer.renewAfterMs || RENEW_AFTER_MS);
      // The call is over; its trailers say nothing more.
      this.#call = undefined;
      const age = this.#outside.clocks.monotonic() - reading.monotonic;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#renew(), Math.max(this.#interval - age, 0)).unref();
      this.#handlers.onAnswer(answer, reading);
    } catch (error) {
      this.#fail({ message: String(error) });
    }
  }

  #wait(call: GrpcCall, milliseconds: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // The answer may be here already, unread: the process was busy or stopped. Look after the sockets were read.
      setImmediate(() => {
        if (call === this.#call) then();
      });
    }, milliseconds).unref();
  }

  #fail(end: StreamEnd): void {
    this.close();
    const backoff = Math.min(MIN_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    this.#failures += 1;
    const url = this.#url;
    this.#at += 1;
    this.#timer = setTimeout(() => this.#renew(), backoff * (0.5 + Math.random() / 2)).unref();
    this.#handlers.onFailure(url, end);
  }

  /** Three renewals fit into B whatever the service says, and it is not flooded. */
  #paced(milliseconds: number): number {
    return Math.max(Math.min(milliseconds, this.#options.bound / 3), MIN_RENEW_MS);
  }
}
