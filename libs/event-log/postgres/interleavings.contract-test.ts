import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { append, aRevocation, newStream } from '../testing/appends.js';
import { openPostgresLog, type PostgresInstance } from '../testing/open-postgres-log.js';
import { READ_REVOCATIONS } from './postgres-revocation-log.js';
import { SEED, seededRandom, type SeededRandom } from '../testing/seeded-random.js';
import { readWholeLog, record, until } from '../testing/until.js';

/** A follower of the log: given what it kept from the last call, what it read now and what it keeps. */
type Reader = (kept: string) => Promise<{ ids: string[]; keep: string }>;

interface Seen {
  readonly reader: Reader;
  kept: string;
  readonly ids: string[];
}

const WRITERS = 5;
const STEPS = 250;

/** One transaction of a writer that commits late, or never. All its events bear the same time. */
class SlowWriter {
  private written: string[] = [];
  open = false;

  constructor(private readonly client: pg.Client) {}

  /** Takes a transaction id before it writes, or only with its first write. */
  async begin(idFirst: boolean): Promise<void> {
    await this.client.query('begin');
    if (idFirst) await this.client.query('select pg_current_xact_id()');
    this.open = true;
  }

  async write(): Promise<void> {
    const id = randomUUID();
    await this.client.query(
      `insert into curfew.events (stream, revision, event_id, type, schema_version, data, metadata)
       values ($1, 0, $2, 'session.revoked', 1, '{}', '{"recordedAt":1}')`,
      [newStream(), id],
    );
    this.written.push(id);
  }

  async end(how: 'commit' | 'rollback'): Promise<string[]> {
    await this.client.query(how);
    this.open = false;
    const committed = how === 'commit' ? this.written : [];
    this.written = [];
    return committed;
  }
}

/** Interleaves writers and readers at random, step by step; in the end all transactions are over and all readers read. */
async function interleave(
  random: SeededRandom,
  writers: readonly SlowWriter[],
  readers: readonly Seen[],
): Promise<string[]> {
  const committed: string[] = [];
  const read = async (seen: Seen): Promise<void> => {
    const { ids, keep } = await seen.reader(seen.kept);
    seen.ids.push(...ids);
    seen.kept = keep;
  };
  const end = async (writer: SlowWriter): Promise<void> => {
    committed.push(...(await writer.end(random.below(5) === 0 ? 'rollback' : 'commit')));
  };
  for (let step = 0; step < STEPS; step += 1) {
    const writer = random.pick(writers);
    if (!writer.open) await writer.begin(random.below(2) === 0);
    else if (random.below(3) > 0) await writer.write();
    else await end(writer);
    if (random.below(3) === 0) for (const seen of readers) await read(seen);
  }
  for (const writer of writers) if (writer.open) await end(writer);
  for (const seen of readers) await read(seen);
  return committed;
}

describe(`PostgreSQL: commits that interleave (SEED=${SEED})`, () => {
  let database: TestDatabase;
  let instance: PostgresInstance;
  let clients: pg.Client[];

  beforeAll(async () => {
    database = await createDatabase();
    instance = await openPostgresLog(database.url);
    clients = await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        const client = new pg.Client(database.url);
        await client.connect();
        return client;
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await instance.close();
    await database.drop();
  });

  const seenBy = (reader: Reader, kept = ''): Seen => ({ reader, kept, ids: [] });
  const rows = async (
    where: string,
    values: unknown[],
  ): Promise<{ event_id: string; n: string; tx: string }[]> =>
    (
      await instance.pool.query<{ event_id: string; n: string; tx: string }>(
        `select event_id, position::text as n, e.tx::text as tx from curfew.events e where ${where}`,
        values,
      )
    ).rows;
  const lastOf = (found: readonly { n: string }[], kept: string): string => found.at(-1)?.n ?? kept;

  const inOrder: Reader = async (kept) => {
    const page = await instance.log.readAll(kept, 10_000);
    return { ids: page.events.map(({ id }) => id), keep: page.position };
  };
  const byPositionOnly: Reader = async (kept) => {
    const found = await rows('position > $1 order by position', [kept || '0']);
    return { ids: found.map((row) => row.event_id), keep: lastOf(found, kept) };
  };
  const byPositionBelowTheHorizon: Reader = async (kept) => {
    const found = await rows(
      'position > $1 and e.tx < pg_snapshot_xmin(pg_current_snapshot()) order by position',
      [kept || '0'],
    );
    return { ids: found.map((row) => row.event_id), keep: lastOf(found, kept) };
  };
  const ofRevocations: Reader = async (kept) => {
    const page = await instance.revocations.read(kept);
    return { ids: page.events.map(({ event }) => event.id), keep: page.cursor };
  };
  const byHighestTransaction: Reader = async (kept) => {
    const found = await rows('e.tx > $1::xid8 order by e.tx', [kept || '0']);
    return { ids: found.map((row) => row.event_id), keep: found.at(-1)?.tx ?? kept };
  };

  it('G7: no ordered read skips a commit, and a cursor of positions alone would', async () => {
    const start = (await readWholeLog(instance.log)).at(-1)?.position ?? '';
    const real = seenBy(inOrder, start);
    const mutants = [seenBy(byPositionOnly), seenBy(byPositionBelowTheHorizon)];
    const subscription = record(instance.log, start);
    const committed = await interleave(
      seededRandom(SEED + 3),
      clients.map((client) => new SlowWriter(client)),
      [real, ...mutants],
    );

    expect([...real.ids].sort()).toEqual([...committed].sort());
    expect(real.ids).toEqual((await readWholeLog(instance.log, start)).map(({ id }) => id));
    await until(() => subscription.events().length >= committed.length);
    await subscription.stop();
    expect(subscription.events().map(({ id }) => id)).toEqual(real.ids);
    for (const mutant of mutants) expect(mutant.ids.length).toBeLessThan(committed.length);
  });

  it('G7: waits for a transaction that pauses between its write and its commit; positions alone lose it', async () => {
    const start = (await readWholeLog(instance.log)).at(-1)?.position ?? '';
    const last = lastOf(await rows('true order by position desc limit 1', []), '0');
    const readers = [seenBy(inOrder, start), seenBy(byPositionOnly, last)] as const;
    const subscription = record(instance.log, start);
    const [paused, quick] = [new SlowWriter(clients[0]!), new SlowWriter(clients[1]!)];
    const readAndKeep = async (): Promise<void> => {
      for (const seen of readers) {
        const { ids, keep } = await seen.reader(seen.kept);
        seen.ids.push(...ids);
        seen.kept = keep;
      }
    };
    await paused.begin(false);
    await paused.write();
    await quick.begin(false);
    await quick.write();
    const quickIds = await quick.end('commit');
    await readAndKeep();
    const pausedIds = await paused.end('commit');
    await readAndKeep();

    const [real, mutant] = readers;
    expect(real.ids).toEqual([...pausedIds, ...quickIds]);
    expect(mutant.ids).toEqual(quickIds);
    await until(() => subscription.events().length >= 2);
    await subscription.stop();
    expect(subscription.events().map(({ id }) => id)).toEqual(real.ids);
  });

  it('G7: a newer transaction may hold lower positions, and a page may end between them', async () => {
    const start = (await readWholeLog(instance.log)).at(-1)?.position ?? '';
    const [older, newer] = [new SlowWriter(clients[0]!), new SlowWriter(clients[1]!)];
    await older.begin(true);
    await newer.begin(true);
    await newer.write();
    await older.write();
    await newer.write();
    await older.write();
    const newerIds = await newer.end('commit');
    expect(await readWholeLog(instance.log, start)).toEqual([]);
    const olderIds = await older.end('commit');
    for (const page of [1, 2, 3, 10]) {
      const read = (await readWholeLog(instance.log, start, page)).map(({ id }) => id);
      expect(read).toEqual([...olderIds, ...newerIds]);
    }
  });

  it('G7: rollbacks leave gaps, and nobody waits for what will never come', async () => {
    const start = (await readWholeLog(instance.log)).at(-1)?.position ?? '';
    const [kept, lost] = [new SlowWriter(clients[0]!), new SlowWriter(clients[1]!)];
    const committed: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      await lost.begin(true);
      await kept.begin(false);
      await lost.write();
      await kept.write();
      await lost.write();
      committed.push(...(await kept.end('commit')));
      await lost.end('rollback');
      const page = await instance.log.readAll(start, 100);
      expect(page.events.map(({ id }) => id)).toEqual(committed);
      expect(page.caughtUp).toBe(true);
    }
  });

  it('G2: no read of revocations skips a commit, and the highest transaction as a cursor would', async () => {
    const { cursor } = await instance.revocations.barrier('');
    const highest = (await rows('true order by e.tx desc limit 1', []))[0]?.tx ?? '';
    const real = seenBy(ofRevocations, cursor);
    const mutant = seenBy(byHighestTransaction, highest);
    const committed = await interleave(
      seededRandom(SEED + 4),
      clients.map((client) => new SlowWriter(client)),
      [real, mutant],
    );

    expect([...real.ids].sort()).toEqual([...committed].sort());
    expect(mutant.ids.length).toBeLessThan(committed.length);
  });

  it('G2: an old transaction holds the ordered read back, and no revocation', async () => {
    const start = (await readWholeLog(instance.log)).at(-1)?.position ?? '';
    const { cursor } = await instance.revocations.barrier('');
    const [old] = clients;
    await old!.query('begin');
    await old!.query('select pg_current_xact_id()');
    const revoked = aRevocation();
    await instance.log.append([append(newStream(), -1, revoked)]);

    expect(await readWholeLog(instance.log, start)).toEqual([]);
    const page = await instance.revocations.barrier(cursor);
    expect(page.events.map(({ event }) => event.id)).toEqual([revoked.id]);

    await old!.query('rollback');
    expect((await readWholeLog(instance.log, start)).map(({ id }) => id)).toEqual([revoked.id]);
  });

  it('reads revocations through their index, whatever it is planned for', async () => {
    const client = await instance.pool.connect();
    try {
      await client.query(`prepare read_revocations as ${READ_REVOCATIONS}`);
      for (const mode of ['force_generic_plan', 'force_custom_plan']) {
        await client.query(`set plan_cache_mode = ${mode}`);
        const { rows: plan } = await client.query<{ 'QUERY PLAN': string }>(
          `explain execute read_revocations('10:20:12,15')`,
        );
        const text = plan.map((line) => line['QUERY PLAN']).join('\n');
        expect(text.match(/Scan (using|on) events_revocations/g)).toHaveLength(2);
        expect(text).toContain('Index Cond: (tx = ANY');
        expect(text).toContain('Index Cond: (tx >= ');
      }
    } finally {
      client.release(true);
    }
  });
});
