import type { OpenUpstream, UpstreamHandlers } from '../upstream-follower.js';
import type { WatchHub } from '../watch-hub.js';
import type { Renewed, WatchMessage } from '../watch-message.js';
import type { WatchSubscription } from '../watch-subscriber.js';
import type { VirtualTimers } from './virtual-timers.js';

/** Of an upstream that answers out of it. */
class Lease {
  private readonly sentAt = new Map<string, number>();
  private last: { readonly renewed: Renewed; readonly sentAt: number } | undefined;

  constructor(private readonly timers: VirtualTimers) {}

  sent(id: string): void {
    this.sentAt.set(id, this.timers.monotonic());
  }

  answered(renewed: Renewed): void {
    const sentAt = this.sentAt.get(renewed.id);
    if (sentAt !== undefined) this.last = { renewed, sentAt };
  }

  answer(id: string): Renewed | undefined {
    if (!this.last) return undefined;
    const { renewed, sentAt } = this.last;
    return { ...renewed, id, ageMs: Math.ceil(renewed.ageMs + this.timers.monotonic() - sentAt) };
  }
}

/**
 * The way between a follower and the hubs of its upstream, with a delay each way that keeps the order. It can be slow, lose
 * its connection, and lead to another hub.
 */
export class UpstreamLink {
  delayMs = 1;
  /** Added to the age that the upstream tells. */
  agedMs = 0;
  /** The upstream answers at once, out of the lease that it has, and tells its age. */
  fromLease = false;
  opened = 0;
  readonly cursors: string[] = [];
  private hub: WatchHub;
  private cutNow: () => void = () => undefined;

  constructor(
    private readonly timers: VirtualTimers,
    hub: WatchHub,
  ) {
    this.hub = hub;
  }

  /** The connection breaks; the next one leads to `hub`. */
  cut(hub = this.hub): void {
    this.hub = hub;
    this.cutNow();
  }

  readonly open: OpenUpstream = (_attempt, cursor, handlers) => {
    this.opened++;
    this.cursors.push(cursor);
    let alive = true;
    let subscription: WatchSubscription | undefined;
    const oneWay = (): ((act: () => void) => void) => {
      let lastAt = -Infinity;
      return (act) => {
        const now = this.timers.monotonic();
        // A connection keeps the order, however its delay changes.
        lastAt = Math.max(now + this.delayMs, lastAt);
        this.timers.setTimeout(() => {
          if (alive) act();
        }, lastAt - now);
      };
    };
    const there = oneWay();
    const back = oneWay();
    const close = (): void => {
      alive = false;
      subscription?.close();
    };
    this.cutNow = () => {
      if (!alive) return;
      close();
      handlers.onEnd({ detail: 'cut', refused: false });
    };
    const { hub } = this;
    there(() => {
      subscription = hub.subscribe({
        tenants: ['*'],
        cursor,
        send: (message) => {
          if ('renewed' in message) lease.answered(message.renewed);
          back(() => this.deliver(message, handlers));
          return true;
        },
        close: () => back(this.cutNow),
      });
    });
    const lease = new Lease(this.timers);
    const renew = (id: string): void => {
      const answer = this.fromLease ? lease.answer(id) : undefined;
      lease.sent(id);
      if (answer) back(() => this.deliver({ renewed: answer }, handlers));
      subscription?.renew(id);
    };
    return { renew: (id) => there(() => renew(id)), close };
  };

  private deliver(message: WatchMessage, handlers: UpstreamHandlers): void {
    if ('revocation' in message) handlers.onRevocation(message.revocation);
    else handlers.onRenewed({ ...message.renewed, ageMs: message.renewed.ageMs + this.agedMs });
  }
}
