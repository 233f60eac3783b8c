import pg from 'pg';
import { eventually } from './cluster.js';
import { embeddedUrl } from './embedded.js';
import { doubleOf, isOnPostgres } from './log.js';

/** Appends that have arrived at the log and are not committed; after `release` they are, soon. */
export interface HeldAppends {
  /** Resolves when an append that was sent before has arrived. */
  arrived(): Promise<void>;
  release(): Promise<void>;
  /** Of a session's stream, committed. */
  eventCount(sid: string): Promise<number>;
  /** Releases too. */
  close(): Promise<void>;
}

/** In the log of the service on that folder. */
export const holdAppends = (folder: string): Promise<HeldAppends> =>
  isOnPostgres ? holdInPostgres(embeddedUrl(folder)) : holdInDouble(folder);

/** The append waits for a lock. */
async function holdInPostgres(url: string): Promise<HeldAppends> {
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  await database.query('BEGIN');
  await database.query('LOCK TABLE curfew.events IN SHARE ROW EXCLUSIVE MODE');
  return {
    async arrived() {
      await eventually(async () => {
        const { rowCount } = await database.query('SELECT 1 FROM pg_locks WHERE NOT granted');
        return (rowCount ?? 0) > 0;
      });
    },
    async release() {
      await database.query('COMMIT');
    },
    async eventCount(sid) {
      const { rowCount } = await database.query('SELECT 1 FROM curfew.events WHERE stream = $1', [
        `session-${sid}`,
      ]);
      return rowCount ?? 0;
    },
    close: () => database.end(),
  };
}

/** A call has got to the log by then, and is held for much longer. */
const ON_THE_WAY_MS = 400;
const HELD_MS = 2_000;

async function holdInDouble(folder: string): Promise<HeldAppends> {
  const double = await doubleOf(folder);
  const { faults } = double;
  const release = (): Promise<void> => {
    faults.clear();
    return Promise.resolve();
  };
  faults.appendDelayMs = () => HELD_MS;
  return {
    // Barriers are appends as well: that one is there does not say that the session's is.
    arrived: () => new Promise((resolve) => setTimeout(resolve, ON_THE_WAY_MS)),
    release,
    eventCount: (sid) => Promise.resolve(double.eventIds(`session-${sid}`).length),
    close: release,
  };
}
