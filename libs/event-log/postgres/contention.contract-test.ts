import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { NewEvent } from '#application';
import { isCurfewError } from '#contracts';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { anEvent, append, aRevocation, newStream } from '../testing/appends.js';
import { openPostgresLog, type PostgresInstance } from '../testing/open-postgres-log.js';
import { SEED, seededRandom } from '../testing/seeded-random.js';
import { record, until } from '../testing/until.js';

describe(`PostgreSQL: instances that meet (SEED=${SEED})`, () => {
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

  it('does not deadlock over batches that name the same streams in opposite order', async () => {
    const waiting = async (): Promise<number | null> =>
      (
        await one.pool.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        )
      ).rowCount;
    for (let round = 0; round < 10; round += 1) {
      const streams = Array.from({ length: 5 }, newStream);
      await one.log.append(streams.map((stream) => append(stream, -1, anEvent())));
      // With the middle one locked, each of the two holds what it locks first and waits.
      await admin.query('begin');
      await admin.query('select 1 from curfew.streams where stream = $1 for update', [streams[2]]);
      const both = Promise.allSettled([
        one.log.append([append(newStream(), -1, anEvent()), ...streams.map((s) => append(s, 0, anEvent()))]),
        two.log.append([
          ...streams.map((s) => append(s, 0, anEvent())).reverse(),
          append(newStream(), -1, anEvent()),
        ]),
      ]);
      await until(async () => (await waiting()) === 2);
      await admin.query('commit');
      const outcomes = await both;
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { name: 'ConcurrencyConflict' },
      });
    }
  });

  it('tells the loser of two first appends what is there, also where it had to wait for the winner', async () => {
    const stream = newStream();
    await admin.query('begin');
    await admin.query(`insert into curfew.streams values ($1, 0)`, [stream]);
    await admin.query(
      `insert into curfew.events (stream, revision, event_id, type, schema_version, data, metadata)
       values ($1, 0, gen_random_uuid(), 't', 1, '{}', '{}')`,
      [stream],
    );
    const loser = one.log.append([append(stream, -1, anEvent())]).catch((error: unknown) => error);
    await until(
      async () =>
        (
          await two.pool.query(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          )
        ).rowCount === 1,
    );
    await admin.query('commit');
    expect(await loser).toMatchObject({ name: 'ConcurrencyConflict', stream, expected: -1, actual: 0 });
    expect((await one.log.readStream(stream)).events).toHaveLength(1);
  });

  it('fails only the member of a batch that the server refuses', async () => {
    const good = Array.from({ length: 5 }, newStream);
    const bad = newStream();
    const notAUuid: NewEvent = { ...anEvent(), id: 'no-uuid' };
    const results = await Promise.allSettled([
      ...good.map((stream) => one.log.append([append(stream, -1, anEvent())])),
      one.log.append([append(bad, -1, notAUuid)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual([...good.map(() => 'fulfilled'), 'rejected']);
    expect((await one.log.readStream(bad)).revision).toBe(-1);
  });

  it('refuses an event id that another stream has', async () => {
    const [event, other] = [anEvent(), newStream()];
    await one.log.append([append(newStream(), -1, event)]);
    await expect(one.log.append([append(other, -1, event)])).rejects.toThrow('23505');
    expect((await one.log.readStream(other)).revision).toBe(-1);
  });

  it('G2: reads again from its last barrier when its session was lost, since ids can come back', async () => {
    const revoke = async (): Promise<string> => {
      const event = aRevocation();
      await one.log.append([append(newStream(), -1, event)]);
      return event.id;
    };
    const read = async (after: string): Promise<{ ids: string[]; cursor: string }> => {
      const { events, cursor } = await one.revocations.read(after);
      return { ids: events.map(({ event }) => event.id), cursor };
    };
    const barrier = await one.revocations.barrier('');
    const before = await revoke();
    const shown = await read(barrier.cursor);
    expect(shown.ids).toEqual([before]);
    await admin.query(
      `select pg_terminate_backend(pid, 1000) from pg_stat_activity
       where datname = current_database() and application_name = 'curfew-revocations'`,
    );
    const after = await revoke();
    let again: { ids: string[] } | undefined;
    await until(async () => (again = await read(shown.cursor).catch(() => undefined)) !== undefined);
    expect(again!.ids.sort()).toEqual([before, after].sort());
  });

  it('G9: loses nothing acknowledged and comes back when its sessions are killed', async () => {
    const random = seededRandom(SEED + 5);
    const start = await one.log.append([append(newStream(), -1, anEvent())]);
    const subscription = record(two.log, start);
    let { cursor } = await two.revocations.barrier('');
    const revoked = new Set<string>();
    const acknowledged: { stream: string; id: string }[] = [];
    let killing = true;
    let unavailable = 0;

    const writers = Array.from({ length: 8 }, async () => {
      const stream = newStream();
      for (let revision = -1; killing; revision += 1) {
        const event = aRevocation();
        for (let settled = false; !settled;) {
          try {
            await one.log.append([append(stream, revision, event)]);
            settled = true;
          } catch (error) {
            if (!isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
            unavailable += 1;
          }
        }
        acknowledged.push({ stream, id: event.id });
      }
    });
    const follow = async (): Promise<void> => {
      try {
        const page = await two.revocations.barrier(cursor);
        for (const { event } of page.events) revoked.add(event.id);
        cursor = page.cursor;
      } catch (error) {
        if (!isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
      }
    };
    for (let round = 0; round < 25; round += 1) {
      for (let i = random.below(6); i >= 0; i -= 1) await follow();
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name like 'curfew%'`,
      );
    }
    killing = false;
    await Promise.all(writers);
    expect(unavailable).toBeGreaterThan(0);
    await until(async () => {
      await follow();
      return acknowledged.every(({ id }) => revoked.has(id));
    });

    const streams = await one.log.readStreams([...new Set(acknowledged.map(({ stream }) => stream))]);
    const stored = [...streams.values()].flatMap(({ events }) => events.map(({ id }) => id));
    expect(stored.sort()).toEqual(acknowledged.map(({ id }) => id).sort());
    await until(() => subscription.events().length >= acknowledged.length);
    await subscription.stop();
    expect(
      subscription
        .events()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(stored);
  });
});
