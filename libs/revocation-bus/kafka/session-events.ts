import type { DedicatedConnection } from '#platform';
import type { BegunTerm } from './relay-record.js';
import { storeEventsPosition } from './relay-record.js';
import { SessionEventsPublisher, type SessionEventsOptions } from './session-events-publisher.js';
import { Pause } from './within.js';

const STORE_EVERY_MS = 1_000;

export interface SessionEventsStats {
  readonly published: number;
  readonly failures: number;
  /** Acknowledged up to there; undefined while this instance does not lead. */
  readonly position: string | undefined;
}

/** The publication of session events beside each leadership of the relay; where it is, stands in the relay's record. */
export class SessionEvents {
  private current: SessionEventsPublisher | undefined;
  private readonly past = { published: 0, failures: 0 };

  constructor(private readonly options: Omit<SessionEventsOptions, 'position'>) {}

  stats(): SessionEventsStats {
    return {
      published: this.past.published + (this.current?.published ?? 0),
      failures: this.past.failures + (this.current?.failures ?? 0),
      position: this.current?.position,
    };
  }

  /** Until `signal` aborts. Never rejects. */
  async besideTheRelay(
    { term, eventsPosition }: BegunTerm,
    connection: DedicatedConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const publisher = new SessionEventsPublisher({ ...this.options, position: eventsPosition });
    this.current = publisher;
    const store = async (): Promise<void> => {
      const pause = new Pause(this.options.timers);
      signal.addEventListener('abort', () => pause.close());
      for (let stored = eventsPosition; !signal.aborted;) {
        await pause.sleep(STORE_EVERY_MS);
        const { position } = publisher;
        if (position === stored || signal.aborted) continue;
        // Where it cannot be written, these events come again; who was superseded hears of it from the relay.
        await storeEventsPosition(connection, term, position).then(
          () => (stored = position),
          () => undefined,
        );
      }
    };
    await Promise.all([publisher.run(signal), store()]);
    this.past.published += publisher.published;
    this.past.failures += publisher.failures;
    this.current = undefined;
  }
}
