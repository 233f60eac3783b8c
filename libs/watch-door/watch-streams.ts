import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { StartStopwatch, Stopwatch } from '#application';
import { CurfewError, isCurfewError } from '#contracts';
import type { WatchHub, WatchMessage } from '#revocation-bus';
import { WatchStream, type NodeReception, type WatchRequest } from './watch-stream.js';

/** How often the API key of open streams is looked at again. With what the authenticator caches this is well within B. */
const REAUTHENTICATE_MS = 500;
/** The default B less what the authenticator may have cached: without one this young, a renewal waits for the next. */
const MAX_AUTHENTICATION_AGE_MS = 1_000;

export interface WatchStreamsOptions {
  readonly hub: Pick<WatchHub, 'subscribe'>;
  readonly nodes: NodeReception;
  /** Of an `authorization` header. Rejects with a CurfewError: ERR_UNAVAILABLE ends no stream, any other does. */
  readonly authenticate: (authorization: string | undefined) => Promise<unknown>;
  readonly startStopwatch: StartStopwatch;
}

/** The streams of one API key: one look at it serves them all. */
interface Fleet {
  readonly authorization: string | undefined;
  readonly streams: Set<WatchStream>;
  authenticatedFor: Stopwatch;
  /** The look under way. */
  looking: Promise<boolean> | undefined;
}

/** The open Watch streams of a door. Cost: one look at each API key in 500 ms, whatever the number of its streams. */
export class WatchStreams {
  private readonly fleets = new Map<string | undefined, Fleet>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: WatchStreamsOptions) {}

  /** @param tenants of the API key, which has just been admitted */
  open(
    call: ServerDuplexStream<WatchRequest, WatchMessage>,
    authorization: string | undefined,
    tenants: readonly string[],
  ): void {
    const fleet = this.fleetOf(authorization);
    const stream = new WatchStream(call, {
      hub: this.options.hub,
      nodes: this.options.nodes,
      tenants,
      whileInForce: (act) => {
        if (fleet.authenticatedFor() <= MAX_AUTHENTICATION_AGE_MS) return act();
        void this.look(fleet).then((inForce) => {
          if (inForce) act();
        });
      },
      ended: () => {
        this.forget(fleet, stream);
      },
    });
    fleet.streams.add(stream);
    this.timer ??= setInterval(() => {
      for (const each of this.fleets.values()) void this.look(each);
    }, REAUTHENTICATE_MS).unref();
  }

  /** Looks at no key any more. */
  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private fleetOf(authorization: string | undefined): Fleet {
    const known = this.fleets.get(authorization);
    if (known) return known;
    const authenticatedFor = this.options.startStopwatch();
    const fleet: Fleet = { authorization, streams: new Set(), authenticatedFor, looking: undefined };
    this.fleets.set(authorization, fleet);
    return fleet;
  }

  private look(fleet: Fleet): Promise<boolean> {
    return (fleet.looking ??= this.authenticate(fleet).finally(() => (fleet.looking = undefined)));
  }

  /** Ends the streams if their API key is no longer in force; a database that cannot be asked ends nothing. */
  private async authenticate(fleet: Fleet): Promise<boolean> {
    const age = this.options.startStopwatch();
    try {
      await this.options.authenticate(fleet.authorization);
      fleet.authenticatedFor = age;
      return true;
    } catch (cause) {
      if (isCurfewError(cause, 'ERR_UNAVAILABLE')) return false;
      const error = isCurfewError(cause) ? cause : new CurfewError('ERR_INTERNAL', { cause });
      for (const stream of [...fleet.streams]) stream.end(error);
      return false;
    }
  }

  private forget(fleet: Fleet, stream: WatchStream): void {
    fleet.streams.delete(stream);
    if (fleet.streams.size === 0 && this.fleets.get(fleet.authorization) === fleet)
      this.fleets.delete(fleet.authorization);
    if (this.fleets.size === 0) this.close();
  }
}
