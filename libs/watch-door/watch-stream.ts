import type { ServerDuplexStream } from '@grpc/grpc-js';
import { CurfewError } from '#contracts';
import type {
  CutReason,
  NodeIntroduction,
  ReportingNode,
  WatchHub,
  WatchMessage,
  WatchSubscription,
} from '#revocation-bus';
import { MalformedMessage } from './decode-strictly.js';
import { toGrpcStatus } from './grpc-status.js';

export interface WatchRequest {
  readonly hello?: {
    readonly nodeId?: string;
    readonly cursor?: string;
    readonly boundMs?: number;
    readonly passesOn?: boolean;
  };
  /** `uint64` as decimal text; absent for 0. */
  readonly renew?: { readonly id?: string; readonly applied?: string };
}

/** Where nodes say who they are: their reports go to what it answers. */
export interface NodeReception {
  introduce(introduction: NodeIntroduction, cursor?: string): ReportingNode;
}

export interface WatchSurroundings {
  readonly hub: Pick<WatchHub, 'subscribe'>;
  readonly nodes: NodeReception;
  /** Of the API key, by the time the stream was opened. */
  readonly tenants: readonly string[];
  /** Calls back while the stream's API key is in force, perhaps at once, else not: the stream has ended, or it asks again. */
  readonly whileInForce: (act: () => void) => void;
  readonly ended: () => void;
}

/** Whoever opens a stream and says nothing holds it for nothing. */
const HELLO_PATIENCE_MS = 10_000;
export const MAX_NODE_ID = 128;
export const MAX_CURSOR = 32_768;
/** The longest staleness bound that the SDK takes. How long receipts wait for a silent node rests on it. */
export const MAX_BOUND_MS = 60_000;
/** Control characters and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

const CUT: Readonly<Record<CutReason, string>> = {
  slow: 'the node does not take messages fast enough',
  'send-failed': 'the stream failed',
  stopping: 'this instance stops',
};
const invalid = (field: string, detail: string) => new CurfewError('ERR_VALIDATION', { field, detail });

const isNodeId = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_NODE_ID && !UNPRINTABLE.test(value);

/** One Watch stream: its messages to the hub and back, and its end. */
export class WatchStream {
  private subscription: WatchSubscription | undefined;
  private over = false;
  private readonly helloTimer: NodeJS.Timeout;

  constructor(
    private readonly call: ServerDuplexStream<WatchRequest, WatchMessage>,
    private readonly outside: WatchSurroundings,
  ) {
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

  private greet(hello: NonNullable<WatchRequest['hello']>): void {
    const { nodeId, cursor = '', boundMs = 0, passesOn = false } = hello;
    if (this.subscription) return this.end(invalid('hello', 'must be sent once'));
    if (!isNodeId(nodeId))
      return this.end(invalid('hello.nodeId', `must be a string of 1 to ${MAX_NODE_ID} characters`));
    if (cursor.length > MAX_CURSOR) return this.end(invalid('hello.cursor', 'is too long'));
    if (boundMs > MAX_BOUND_MS) return this.end(invalid('hello.boundMs', `must be at most ${MAX_BOUND_MS}`));
    clearTimeout(this.helloTimer);
    const { hub, nodes, tenants } = this.outside;
    this.subscription = hub.subscribe({
      tenants,
      node: nodes.introduce({ nodeId, tenants, boundMs, via: 'watch' }, passesOn ? '' : cursor),
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
    const { subscription } = this;
    this.outside.whileInForce(() => {
      subscription.renew(id, applied);
    });
  }

  /** Without an error: the node has gone, or said that it is done. */
  end(error?: CurfewError): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.helloTimer);
    this.subscription?.close();
    this.outside.ended();
    if (error) this.call.emit('error', toGrpcStatus(error));
    else this.call.end();
  }
}
