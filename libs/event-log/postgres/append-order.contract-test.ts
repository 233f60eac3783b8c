import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { anEvent, append, newStream } from '../testing/appends.js';
import { openPostgresLog, type PostgresInstance } from '../testing/open-postgres-log.js';
import { readWholeLog, until } from '../testing/until.js';

/** An append takes its transaction id with its first write, and may have to wait for a stream's lock after that. */
describe('PostgreSQL: a transaction that takes its id before its lock', () => {
  let database: TestDatabase;
  let one: PostgresInstance;
  let two: PostgresInstance;
  let admin: pg.Client;
  beforeAll(async () => {
    database = await createDatabase();
    [one, two] = [await openPostgresLog(database.url), await openPostgresLog(database.url)];
    admin = new pg.Client(database.url);
    await admin.connect();
  });
  afterAll(async () => {
    await Promise.all([one.close(), two.close(), admin.end()]);
    await database.drop();
  });

  const waitingForALock = async (): Promise<boolean> =>
    // Not on the connection that holds the lock: a transaction sees these statistics as they were at its first look.
    (
      await two.pool.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
    ).rowCount === 1;

  /** Two streams of one event, in the order in which an append locks them. */
  const twoStreams = async (): Promise<[string, string]> => {
    const [first, second] = [newStream(), newStream()].sort() as [string, string];
    await one.log.append([append(first, -1, anEvent()), append(second, -1, anEvent())]);
    return [first, second];
  };

  /** While `held` is locked, an append to it and to others waits with its id taken, and `meanwhile` happens under higher ids. */
  const whileItWaits = async (
    held: string,
    waits: () => Promise<unknown>,
    meanwhile: () => Promise<unknown>,
  ): Promise<unknown> => {
    await admin.query('begin');
    await admin.query('select 1 from curfew.streams where stream = $1 for update', [held]);
    const outcome = waits().catch((error: unknown) => error);
    await until(waitingForALock);
    await meanwhile();
    await admin.query('commit');
    return outcome;
  };

  const inLogOrder = async (stream: string): Promise<number[]> =>
    (await readWholeLog(one.log)).filter((event) => event.stream === stream).map(({ revision }) => revision);

  it('G7: never puts an event before its predecessor, also where its caller guessed right', async () => {
    const [first, second] = await twoStreams();
    const fresh = newStream();
    const overtaken = await whileItWaits(
      first,
      // The new stream's head is its first write. Revision 1 of `second` does not exist yet.
      () =>
        one.log.append([
          append(fresh, -1, anEvent()),
          append(first, 0, anEvent()),
          append(second, 1, anEvent()),
        ]),
      () => two.log.append([append(second, 0, anEvent())]),
    );
    expect(overtaken).toMatchObject({ name: 'ConcurrencyConflict' });
    expect(await inLogOrder(second)).toEqual([0, 1]);
    expect((await one.log.readStream(fresh)).revision).toBe(-1);

    // Decided again, it is appended: under an id of its own.
    await one.log.append([
      append(fresh, -1, anEvent()),
      append(first, 0, anEvent()),
      append(second, 1, anEvent()),
    ]);
    expect(await inLogOrder(second)).toEqual([0, 1, 2]);
  });

  it('refuses only the overtaken member of a batch, and gives the others their own positions', async () => {
    const [first, second] = await twoStreams();
    const fresh = newStream();
    const members = await whileItWaits(
      first,
      () =>
        Promise.allSettled([
          one.log.append([append(fresh, -1, anEvent(), anEvent())]),
          one.log.append([append(second, 1, anEvent())]),
          one.log.append([append(first, 0, anEvent())]),
        ]),
      () => two.log.append([append(second, 0, anEvent())]),
    );
    const slices = await one.log.readStreams([fresh, first]);
    expect(members).toEqual([
      { status: 'fulfilled', value: slices.get(fresh)!.events[1]!.position },
      { status: 'rejected', reason: expect.objectContaining({ stream: second, expected: 1, actual: 1 }) },
      { status: 'fulfilled', value: slices.get(first)!.events[1]!.position },
    ]);
    expect(await inLogOrder(second)).toEqual([0, 1]);
  });

  it('G9: tells the position of an append that was sent twice, when the second is overtaken by the first', async () => {
    const [first, second] = await twoStreams();
    const sentTwice = append(second, 0, anEvent());
    let position: unknown;
    const members = await whileItWaits(
      first,
      () =>
        Promise.all([
          one.log.append([append(newStream(), -1, anEvent())]),
          one.log.append([sentTwice]),
          one.log.append([append(first, 0, anEvent())]),
        ]),
      async () => {
        position = await two.log.append([sentTwice]);
      },
    );
    expect(members).toEqual([expect.any(String), position, expect.any(String)]);
    expect(await inLogOrder(second)).toEqual([0, 1]);
  });
});
