import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { AppendSignals, eventLogMigrations, PostgresRevocationLog } from '#event-log';
import { runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { systemTimers } from '../timers.js';
import { Leadership } from './leadership.js';
import { PostgresRevocationStream } from './postgres-revocation-stream.js';
import { beginTerm, storeCheckpoint, storeEventsPosition, Superseded } from './relay-record.js';
import { relayMigrations } from './schema.js';

describe('the relay’s leadership in PostgreSQL', () => {
  let database: TestDatabase;
  let admin: pg.Pool;
  let stop: AbortController;
  const held: Leadership[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    await runMigrations(database.url, [...eventLogMigrations, ...relayMigrations]);
    admin = new pg.Pool({ connectionString: database.url, max: 2 });
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
  });
  beforeEach(async () => {
    stop = new AbortController();
    await admin.query('delete from curfew.relay');
  });
  afterEach(() => {
    stop.abort();
    held.splice(0).forEach((leadership) => leadership.end());
  });

  const acquire = async (signal = stop.signal): Promise<Leadership> => {
    const leadership = await Leadership.acquire(database.url, systemTimers, signal);
    if (leadership === undefined) throw new Error('not acquired');
    held.push(leadership);
    return leadership;
  };
  const isLost = ({ lost }: Leadership): Promise<boolean> =>
    lost.aborted
      ? Promise.resolve(true)
      : new Promise((resolve) => lost.addEventListener('abort', () => resolve(true)));
  const terminate = (leadership: Leadership) =>
    admin.query('select pg_terminate_backend($1)', [leadership.connection.backendPid]);

  it('belongs to one at a time, and to the next soon after it was given back', async () => {
    const first = await acquire();
    let second: Leadership | undefined;
    const waiting = acquire().then((leadership) => (second = leadership));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(second).toBeUndefined();
    first.end();
    await waiting;
    expect(second?.lost.aborted).toBe(false);
  });

  it('ends at once with its session, and is never taken up again by the same object', async () => {
    const first = await acquire();
    await terminate(first);
    await isLost(first);
    await expect(first.connection.query({ text: 'select 1' })).rejects.toMatchObject({
      code: 'ERR_UNAVAILABLE',
    });
    expect((await acquire()).lost.aborted).toBe(false);
  });

  it('has a session that the server ends where its peer is gone or stands still', async () => {
    const { connection } = await acquire();
    const { rows } = await connection.query<Record<string, string>>({
      text: `select current_setting('tcp_user_timeout') as gone, current_setting('idle_session_timeout') as still`,
    });
    expect(rows).toEqual([{ gone: '2000', still: '5s' }]);
  });

  it('ends the wait for the lock on a stop', async () => {
    await acquire();
    const waiting = Leadership.acquire(database.url, systemTimers, stop.signal);
    setTimeout(() => stop.abort(), 100);
    expect(await waiting).toBeUndefined();
  });

  describe('its record', () => {
    const FOUND = { ends: [10n, 10n], isAnew: false };

    it('has a higher incarnation each time, of the database’s clock at first, and goes on with the stream', async () => {
      const { connection } = await acquire();
      const first = await beginTerm(connection, FOUND);
      expect(first.term).toMatchObject({ lanes: 2 });
      expect(Math.abs(first.term.incarnation - Date.now())).toBeLessThan(60_000);
      await admin.query('update curfew.relay set incarnation = incarnation + 1000000000');
      const second = await beginTerm(connection, FOUND);
      expect(second.term).toEqual({
        ...first.term,
        incarnation: first.term.incarnation + 1_000_000_001,
      });
    });

    it.each([
      ['whose offsets went back', { ends: [10n, 4n], isAnew: false }],
      ['that has another lane', { ends: [10n, 10n, 0n], isAnew: false }],
      ['that is known to be anew', { ends: [10n, 10n], isAnew: true }],
    ])('gives a topic %s a new stream id', async (_, found) => {
      const { connection } = await acquire();
      const { term } = await beginTerm(connection, FOUND);
      await storeCheckpoint(connection, term, { cursor: '1:1:', nextOffsets: [9n, 9n] });
      const next = await beginTerm(connection, found);
      expect(next.term.streamId).not.toBe(term.streamId);
      expect(next).toMatchObject({ nextOffsets: [], checkpoint: '1:1:' });
    });

    it('keeps checkpoint, offsets and the position of the session events for the next', async () => {
      const { connection } = await acquire();
      const { term } = await beginTerm(connection, FOUND);
      await storeCheckpoint(connection, term, { cursor: '5:5:', nextOffsets: [7n, 8n] });
      await storeEventsPosition(connection, term, 'here');
      expect(await beginTerm(connection, FOUND)).toMatchObject({
        checkpoint: '5:5:',
        nextOffsets: [7n, 8n],
        eventsPosition: 'here',
      });
    });

    it('is not written by one that was superseded', async () => {
      const { connection } = await acquire();
      const { term } = await beginTerm(connection, FOUND);
      await beginTerm(connection, FOUND);
      const checkpoint = { cursor: '5:5:', nextOffsets: [] };
      await expect(storeCheckpoint(connection, term, checkpoint)).rejects.toThrow(Superseded);
      await expect(storeEventsPosition(connection, term, 'here')).rejects.toThrow(Superseded);
    });

    it('is what the doors tell of the stream, read once a second at most', async () => {
      let now = 0;
      const stream = new PostgresRevocationStream(admin, { monotonic: () => now });
      expect(await stream.current()).toBeUndefined();
      const { connection } = await acquire();
      const { term } = await beginTerm(connection, FOUND);
      expect(await stream.current()).toBeUndefined();
      now += 1_000;
      expect(await stream.current()).toEqual({ streamId: term.streamId, lanes: 2 });
    });
  });

  it('G2: barriers end with the lock: the log is read on the session that holds it', async () => {
    const leadership = await acquire();
    const signals = new AppendSignals(database.url);
    try {
      const log = new PostgresRevocationLog({
        url: database.url,
        signals,
        connection: leadership.connection,
      });
      await log.barrier('');
      const backlog = await log.readBacklog('');
      expect(backlog.events).toEqual([]);
      const { rows } = await leadership.connection.query<{ statement_timeout: string }>({
        text: `select current_setting('statement_timeout') as statement_timeout`,
      });
      expect(rows).toEqual([{ statement_timeout: '1s' }]);
      await terminate(leadership);
      await isLost(leadership);
      await expect(log.barrier('')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    } finally {
      await signals.close();
    }
  });
});
