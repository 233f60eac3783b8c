import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { openPool, refuseUnsafeServer, startEmbeddedPostgres, type EmbeddedPostgres } from '#platform';
import { anEvent, append, aRevocation, newStream } from '../testing/appends.js';
import { openPostgresLog, type PostgresInstance } from '../testing/open-postgres-log.js';
import { until } from '../testing/until.js';

/** Faults of the server itself, so it has one of its own. */
describe('PostgreSQL: a server that fails', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  let instance: PostgresInstance;
  let admin: pg.Client;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'curfew-broken-'));
    server = await startEmbeddedPostgres({ folder });
    instance = await openPostgresLog(server.url);
    admin = await connect();
  }, 30_000);
  afterAll(async () => {
    await admin.end();
    await instance.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(server.url);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const backends = async (application: string, where = 'true'): Promise<number[]> =>
    (
      await admin.query<{ pid: number }>(
        `select pid from pg_stat_activity where application_name = $1 and ${where}`,
        [application],
      )
    ).rows.map(({ pid }) => pid);
  const setStandbys = async (names: string): Promise<void> => {
    await admin.query(`alter system set synchronous_standby_names = '${names}'`);
    await admin.query('select pg_reload_conf()');
    await until(
      async () =>
        (
          await instance.pool.query<{ names: string }>(
            `select current_setting('synchronous_standby_names') as names`,
          )
        ).rows[0]?.names === names,
    );
  };
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'done',
      (error: unknown) => error,
    );

  it.each([
    ['curfew-writer', 'an append', () => instance.log.append([append(newStream(), -1, anEvent())])],
    ['curfew-revocations', 'a barrier', () => instance.revocations.barrier('')],
  ])(
    'G9: does not acknowledge (%s) %s whose wait for the standby was cancelled',
    async (application, _, write) => {
      await write();
      await setStandbys('nobody');
      try {
        // The new setting reaches the server's processes one by one: until then writes still succeed.
        let attempt = failure(write());
        let settled = false;
        await until(async () => {
          if (settled) attempt = failure(write());
          settled = false;
          void attempt.then(() => (settled = true));
          return (await backends(application, `wait_event = 'SyncRep'`)).length === 1;
        });
        const [waiting] = await backends(application, `wait_event = 'SyncRep'`);
        await admin.query('select pg_cancel_backend($1)', [waiting]);
        expect(await attempt).toMatchObject({ code: 'ERR_UNAVAILABLE' });
      } finally {
        await setStandbys('');
      }
      await write();
    },
  );

  it.each([
    ['curfew-writer', 'an append', () => instance.log.append([append(newStream(), -1, anEvent())])],
    ['curfew-revocations', 'a barrier', () => instance.revocations.barrier('')],
  ])(
    'G2: gives up (%s) %s when the server stops to answer, and goes on with another session',
    async (application, _, write) => {
      await write();
      const stopped = await backends(application);
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
      try {
        const began = performance.now();
        expect(await failure(write())).toMatchObject({ code: 'ERR_UNAVAILABLE' });
        expect(performance.now() - began).toBeLessThan(3_500);
        await until(() =>
          write().then(
            () => true,
            () => false,
          ),
        );
      } finally {
        for (const pid of stopped) process.kill(pid, 'SIGCONT');
      }
    },
    15_000,
  );

  it('G9: keeps what it acknowledged when the server crashes, and comes back', async () => {
    const { cursor } = await instance.revocations.barrier('');
    const events = Array.from({ length: 20 }, () => aRevocation());
    await Promise.all(events.map((event) => instance.log.append([append(newStream(), -1, event)])));
    const [victim] = await backends('curfew-writer');
    process.kill(victim!, 'SIGKILL');
    await new Promise((ended) => admin.once('end', ended));
    await until(() =>
      instance.log.append([append(newStream(), -1, anEvent())]).then(
        () => true,
        () => false,
      ),
    );
    await until(() =>
      instance.revocations.barrier(cursor).then(
        () => true,
        () => false,
      ),
    );
    const page = await instance.revocations.barrier(cursor);
    expect(page.events.map(({ event }) => event.id).sort()).toEqual(events.map(({ id }) => id).sort());
    admin = await connect();
  }, 15_000);

  it.each([
    ['synchronous_commit', 'off', 'synchronous_commit=off'],
    ['default_transaction_read_only', 'on', 'default_transaction_read_only=on'],
  ])('refuses %s = %s, by name', async (setting, value, cause) => {
    await admin.query(`alter database curfew set ${setting} = ${value}`);
    const pool = openPool(server.url);
    try {
      await expect(refuseUnsafeServer(pool)).rejects.toMatchObject({
        code: 'ERR_LOG_STORE_REFUSED',
        detail: expect.stringContaining(cause),
      });
    } finally {
      await pool.end();
      await admin.query('set default_transaction_read_only = off');
      await admin.query(`alter database curfew reset ${setting}`);
    }
  });

  it('accepts this server, and leaves the pool usable', async () => {
    await refuseUnsafeServer(instance.pool);
    expect((await instance.pool.query('select 1')).rowCount).toBe(1);
  });

  it('refuses a transaction pooler in front of it', async () => {
    // The least a pooler does: each statement outside a transaction runs on the session that was given back last.
    const idle = [await instance.pool.connect(), await instance.pool.connect()];
    const sessions = [...idle];
    const pooledClient = (): pg.PoolClient => {
      let held: pg.PoolClient | undefined;
      return {
        query: async (text: string, values?: unknown[]) => {
          const session = held ?? idle.pop()!;
          const result = await session.query(text, values);
          held = text === 'begin' ? session : undefined;
          if (held === undefined) idle.push(session);
          return result;
        },
        release: () => undefined,
      } as unknown as pg.PoolClient;
    };
    await expect(
      refuseUnsafeServer({ connect: () => Promise.resolve(pooledClient()) }),
    ).rejects.toMatchObject({ code: 'ERR_LOG_STORE_REFUSED', detail: expect.stringContaining('pooler') });
    for (const session of sessions) session.release(true);
  });
});
