import type { RevocationMessage } from '#contracts';
import type { ReportingNode } from '../node-registry.js';
import type { Renewed, WatchMessage } from '../watch-message.js';
import type { WatchHub } from '../watch-hub.js';
import type { CutReason, WatchSubscription } from '../watch-subscriber.js';

const nameOf = (revocation: RevocationMessage): string =>
  revocation.scope === 'session' ? revocation.sid : `${revocation.scope} ${revocation.epoch}`;

/** A subscriber that writes down what it gets. */
export class WatchingNode {
  readonly messages: WatchMessage[] = [];
  readonly cuts: CutReason[] = [];
  /** How many messages the transport takes until `drain`; Infinity: any number. */
  room = Infinity;
  onMessage: (message: WatchMessage) => void = () => undefined;
  private subscription: WatchSubscription | undefined;

  connect(
    hub: WatchHub,
    options: { tenants?: readonly string[]; cursor?: string | undefined; node?: ReportingNode } = {},
  ): this {
    this.subscription?.close();
    this.subscription = hub.subscribe({
      tenants: options.tenants ?? ['*'],
      cursor: options.cursor,
      ...(options.node && { node: options.node }),
      send: (message) => {
        this.messages.push(message);
        this.onMessage(message);
        return --this.room > 0;
      },
      close: (reason) => this.cuts.push(reason),
    });
    return this;
  }

  renew(id: string, applied?: string): void {
    this.subscription?.renew(id, applied);
  }

  drain(room = Infinity): void {
    this.room = room;
    this.subscription?.drained();
  }

  disconnect(): void {
    this.subscription?.close();
  }

  /** `sid` or `<scope> <epoch>` for a revocation, `renewed <id>` for an answer, in the order received. */
  get heard(): string[] {
    return this.messages.map((m) => ('renewed' in m ? `renewed ${m.renewed.id}` : nameOf(m.revocation)));
  }

  get renewals(): Renewed[] {
    return this.messages.flatMap((message) => ('renewed' in message ? [message.renewed] : []));
  }
}
