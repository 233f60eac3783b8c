import { DedicatedConnection } from '#platform';
import type { Timers } from '../timers.js';
import { Pause } from './within.js';

/** Any constant: the same in every version of every instance. */
const RELAY_LOCK = '4839170254763';
const TRY_EVERY_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 1_000;

/**
 * The server drops a peer that is gone within 2 s, and one that asks nothing (a leader asks all the time; one whose process is
 * stopped does not) after 5 s: then the lock is free.
 */
const SESSION_SETTINGS = {
  name: 'relay-session',
  text: `select set_config('tcp_user_timeout', '2000', false), set_config('tcp_keepalives_idle', '1', false),
    set_config('tcp_keepalives_interval', '1', false), set_config('tcp_keepalives_count', '2', false),
    set_config('idle_session_timeout', '5000', false)`,
};
const TRY_LOCK = {
  name: 'relay-lock',
  text: 'select pg_try_advisory_lock($1::bigint) as taken',
  values: [RELAY_LOCK],
};

/** The session that holds the relay's lock. With the session the leadership ends, for good. */
export class Leadership {
  readonly connection: DedicatedConnection;
  private readonly gone = new AbortController();
  private readonly pause: Pause;

  private constructor(databaseUrl: string, timers: Timers) {
    this.pause = new Pause(timers);
    this.connection = new DedicatedConnection(databaseUrl, {
      applicationName: 'curfew-relay',
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      connectTimeoutMs: STATEMENT_TIMEOUT_MS,
      onLost: () => this.end(),
    });
    this.lost.addEventListener('abort', () => this.pause.close());
  }

  /** Tries about once a second until the lock is free. Undefined when `signal` aborts. Rejects with its connection. */
  static async acquire(
    databaseUrl: string,
    timers: Timers,
    signal: AbortSignal,
  ): Promise<Leadership | undefined> {
    const leadership = new Leadership(databaseUrl, timers);
    const stop = () => leadership.end();
    signal.addEventListener('abort', stop);
    try {
      await leadership.connection.query(SESSION_SETTINGS);
      while (!leadership.lost.aborted) {
        const { rows } = await leadership.connection.query<{ taken: boolean }>(TRY_LOCK);
        if (rows[0]?.taken === true) {
          void leadership.watch();
          return leadership;
        }
        await leadership.pause.sleep(TRY_EVERY_MS);
      }
    } catch (error) {
      leadership.end();
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    return undefined;
  }

  /** Aborts when the lock is certainly not held any more, or may not be. */
  get lost(): AbortSignal {
    return this.gone.signal;
  }

  /** Gives the lock back. The connection is never opened again. */
  end(): void {
    if (this.lost.aborted) return;
    this.gone.abort();
    this.connection.close().catch(() => undefined);
  }

  /** Looks after a session in which nothing else happens. */
  private async watch(): Promise<void> {
    while (!this.lost.aborted) {
      await this.pause.sleep(TRY_EVERY_MS);
      await this.connection.query({ name: 'relay-here', text: 'select 1' }).catch(() => undefined);
    }
  }
}
