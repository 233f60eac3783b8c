import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Caller, StartStopwatch, Stopwatch } from '#application';
import { CurfewError, isCurfewError } from '#contracts';
import type { CutReason, NodeRegistry, WatchHub, WatchMessage, WatchSubscription } from '#revocation-bus';
import { MAX_CURSOR, MAX_NODE_ID } from '../dto/renewal.dto.js';
import { isLine } from '../dto/text.js';
import { toGrpcStatus } from '../errors/grpc-status.js';
import { toCurfewError } from '../errors/to-curfew-error.js';
import { MalformedMessage } from './decode-strictly.js';

export interface WatchRequest {
  readonly hello?: { readonly nodeId?: string; readonly cursor?: string; readonly boundMs?: number };
  /** `uint64` as decimal text; absent for 0. */
  readonly renew?: { readonly id?: string; readonly applied?: string };
}

export interface WatchSurroundings {
  readonly hub: Pick<WatchHub, 'subscribe'>;
  readonly nodes: Pick<NodeRegistry, 'introduce'>;
  /** Of the API key, by the time the stream was opened. */
  readonly tenants: readonly string[];
  readonly authenticate: () => Promise<Caller>;
  readonly startStopwatch: StartStopwatch;
  readonly ended: () => void;
}

/** Whoever opens a stream and says nothing holds it for nothing. */
const HELLO_PATIENCE_MS = 10_000;
/** The default B less what the authenticator may have cached: without one this young, a renewal waits for the next. */
const MAX_AUTHENTICATION_AGE_MS = 1_000;

const CUT: Readonly<Record<CutReason, string>> = {
  slow: 'the node does not take messages fast enough',
  'send-failed': 'the stream failed',
  stopping: 'this instance stops',
};
const invalid = (field: string, detail: string) => new CurfewError('ERR_VALIDATION', { field, detail });

/** One Watch stream: its messages to the hub and back, its end, and its API key, which is looked at again and again. */
export class WatchStream {
  private subscription: WatchSubscription | undefined;
  private authenticatedFor: Stopwatch;
  private over = false;
  private readonly helloTimer: NodeJS.Timeout;

  constructor(
    private readonly call: ServerDuplexStream<WatchRequest, WatchMessage>,
    private readonly outside: WatchSurroundings,
  ) {
    this.authenticatedFor = outside.startStopwatch();
    this.helloTimer = setTimeout(() => {
      this.end(invalid('hello', 'must be sent first'));
    }, HELLO_PATIENCE_MS).unref();
    call.on('data', (message: WatchRequest | MalformedMessage) => {
      this.receive(message);
    });
    call.on('drain', () => this.subscription?.drained());
    // 'error' must have a listener; grpc-js has one too, which sends the status.
    for (const event of ['end', 'cancelled', 'error']) call.on(event, () => this.end());
  }

  /** Ends the stream if its API key is no longer in force; a database that cannot be asked ends nothing. */
  async reauthenticate(): Promise<boolean> {
    const age = this.outside.startStopwatch();
    try {
      await this.outside.authenticate();
      this.authenticatedFor = age;
      return true;
    } catch (error) {
      if (!isCurfewError(error, 'ERR_UNAVAILABLE')) this.end(toCurfewError(error));
      return false;
    }
  }

  private receive(message: WatchRequest | MalformedMessage): void {
    if (this.over) return;
    if (message instanceof MalformedMessage) {
      this.end(new CurfewError('ERR_MALFORMED_BODY', { detail: message.detail }));
    } else if (message.hello) {
      this.greet(message.hello);
    } else if (message.renew) {
      this.renew(message.renew);
    }
  }

  private greet({ nodeId, cursor = '', boundMs = 0 }: NonNullable<WatchRequest['hello']>): void {
    if (this.subscription) return this.end(invalid('hello', 'must be sent once'));
    if (!isLine(nodeId, 1, MAX_NODE_ID))
      return this.end(invalid('hello.nodeId', `must be a string of 1 to ${MAX_NODE_ID} characters`));
    if (cursor.length > MAX_CURSOR) return this.end(invalid('hello.cursor', 'is too long'));
    clearTimeout(this.helloTimer);
    const { hub, nodes, tenants } = this.outside;
    this.subscription = hub.subscribe({
      tenants,
      node: nodes.introduce({ nodeId, tenants, boundMs, via: 'watch' }, cursor),
      cursor,
      send: (outgoing) => this.call.write(outgoing),
      close: (reason) => {
        this.end(new CurfewError('ERR_UNAVAILABLE', { detail: CUT[reason] }));
      },
    });
    // The hub may have cut it before it returned.
    if (this.over) this.subscription.close();
  }

  private renew({ id = '0', applied = '0' }: NonNullable<WatchRequest['renew']>): void {
    if (!this.subscription) return this.end(invalid('hello', 'must be sent first'));
    if (this.authenticatedFor() <= MAX_AUTHENTICATION_AGE_MS) return this.subscription.renew(id, applied);
    void this.reauthenticate().then((inForce) => {
      if (inForce) this.subscription?.renew(id, applied);
    });
  }

  /** Without an error: the node has gone, or said that it is done. */
  private end(error?: CurfewError): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.helloTimer);
    this.subscription?.close();
    this.outside.ended();
    if (error) this.call.emit('error', toGrpcStatus(error));
    else this.call.end();
  }
}
