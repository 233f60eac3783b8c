import { status, type ServiceError } from '@grpc/grpc-js';
import type pg from 'pg';
import type { EventLog, ProjectionName } from '#application';
import { sessionStream, userStream } from '#domain';
import { AppendSignals, KurrentEventLog, PostgresEventLog, PostgresSnapshots } from '#event-log';
import { KeyRing, MasterKey } from '#keys';
import { built, Child } from '#local-cluster';
import { sessionsProjection, sessionViewChanges } from '#read-models';
import { grpcDoor, type Door } from './doors.js';
import {
  startBenchDatabase,
  startBenchService,
  type BenchDatabase,
  type BenchService,
} from './environment.js';
import { latency, median, until, type BenchResult, type Figure } from './measure.js';
import { seededEvent, seedRotatedSession } from './seed-rotations.js';

/** Rotations behind a session when it is measured first. */
const AGES = [1, 1_000, 100_000] as const;
/**
 * The same for each age: a session that is refreshed often within seconds has a larger state (every generation that a replay
 * may still ask for), and that must not be taken for age.
 */
const SESSIONS_OF_AGE = 3;
const REFRESHES = 40;
const WARM_UP_SESSIONS = 8;
const WARM_UP_REFRESHES = 320;
const MOST_TRIES = 8;
/** What the service asks for. */
const RETRY_AFTER_MS = 1_000;
/** A load that folds so many events keeps a snapshot (`SessionRepository`). */
const WITH_SNAPSHOT = 8;

interface Store {
  readonly name: string;
  readonly log: EventLog;
  /** Has the service use it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface AgedSession {
  readonly age: number;
  readonly sid: string;
  refreshToken: string;
}

/**
 * Refresh of a session after 1, 1,000 and 100,000 rotations through the gRPC door, one call at a time and the ages in turn, on
 * both stores. The rotations behind it are appended through the adapter.
 */
export async function refreshAge(): Promise<BenchResult> {
  const figures = [...(await measured(openPostgres)), ...(await measured(openKurrent))];
  return { bench: 'refresh-age', figures };
}

async function measured(openStore: (database: BenchDatabase) => Store | Promise<Store>): Promise<Figure[]> {
  const database = await startBenchDatabase();
  let store: Store | undefined;
  let service: BenchService | undefined;
  try {
    store = await openStore(database);
    const sessions = await seed(store.log, database);
    // The sweeper's loads would leave snapshots.
    service = await startBenchService({ database, env: { ...store.env, CURFEW_SWEEP_INTERVAL: '0' } });
    const door = grpcDoor(service);
    await warmUp(door);
    const firsts = await refreshEach(door, sessions);
    await haveSnapshots(database, sessions);
    const times = await inTurn(door, sessions);
    door.close();
    return figuresOf(store.name, firsts, times);
  } finally {
    await service?.stop();
    await store?.close();
    await database.stop();
  }
}

function openPostgres({ url, pool }: BenchDatabase): Store {
  const signals = new AppendSignals(url);
  const log = new PostgresEventLog({ url, pool, signals, projection: sessionViewChanges });
  return {
    name: 'PostgreSQL',
    log,
    env: {},
    close: async () => {
      await log.close();
      await signals.close();
    },
  };
}

/** A server if KURRENTDB_URL names one, else the protocol double. */
async function openKurrent({ pool }: BenchDatabase): Promise<Store> {
  const given = process.env['KURRENTDB_URL'];
  const double =
    given === undefined
      ? await Child.start<{ url: string }>({ args: [built('bench/kurrentdb-double.js')], env: {} })
      : undefined;
  const url = given ?? double!.ready.url;
  const snapshots = new PostgresSnapshots(pool);
  const log = new KurrentEventLog({ url, snapshots });
  return {
    name: double ? 'KurrentDB double' : 'KurrentDB',
    log,
    env: { KURRENTDB_URL: url },
    close: async () => {
      await log.close();
      await snapshots.close();
      await double?.stop();
    },
  };
}

async function seed(log: EventLog, { pool, masterKey }: BenchDatabase): Promise<AgedSession[]> {
  const keys = await KeyRing.load(pool, MasterKey.parse(masterKey));
  const ages = AGES.flatMap((age) => Array<number>(SESSIONS_OF_AGE).fill(age));
  const begun = performance.now();
  const sessions = await Promise.all(
    ages.map(async (age) => ({ age, ...(await seedRotatedSession(log, keys, age)) })),
  );
  await bringProjectionsUpToDate(pool, log, sessions);
  await pool.query('analyze curfew.events, curfew.streams, curfew.session_views_1');
  console.error(`  seeded in ${Math.round(performance.now() - begun)} ms`);
  return sessions;
}

/** As if the service had run all the while: views of the sessions, and checkpoints at the end of the log. */
async function bringProjectionsUpToDate(
  pool: pg.Pool,
  log: EventLog,
  sessions: readonly AgedSession[],
): Promise<void> {
  for (const { sid, age } of sessions) {
    for (const from of [0, age]) {
      const { events } = await log.readStream(sessionStream(sid), { from, max: 1 });
      await sessionsProjection.apply(pool, 1, events);
    }
  }
  await pool.query(
    `insert into curfew.projections (name, version, state, has_tables, position)
      select name, 1, 'live', true, $1 from unnest($2::text[]) as n(name)`,
    [await endOf(log), ['sessions', 'security-feed', 'counters'] satisfies ProjectionName[]],
  );
}

/** What comes after one append more. */
async function endOf(log: EventLog): Promise<string> {
  const stream = userStream('default', 'last');
  const admitted = { sub: 'last', tenant: 'default', sid: '0'.repeat(32), left: [] };
  return log.append([
    {
      stream,
      expectedRevision: -1,
      events: [seededEvent({ type: 'user.session-admitted', data: admitted }, Date.now())],
    },
  ]);
}

/** Other sessions, so that the service's code is warm before the first figure. */
async function warmUp(door: Door): Promise<void> {
  const tokens = await Promise.all(
    Array.from({ length: WARM_UP_SESSIONS }, async (_, i) => (await door.create(`warm-${i}`)).refreshToken),
  );
  for (let turn = 0; turn < WARM_UP_REFRESHES; turn += 1) {
    const slot = turn % tokens.length;
    tokens[slot] = (await door.refresh(tokens[slot] ?? '')).refreshToken;
  }
}

type Times = ReadonlyMap<number, number[]>;

async function refreshEach(door: Door, sessions: readonly AgedSession[], into?: Times): Promise<Times> {
  const times = into ?? new Map(AGES.map((age) => [age, []]));
  for (const session of sessions) {
    const sent = performance.now();
    const refreshToken = await refreshedInTheEnd(door, session.refreshToken);
    times.get(session.age)?.push(performance.now() - sent);
    session.refreshToken = refreshToken;
  }
  return times;
}

/** A first load may take longer than a command may: then nothing was written, a snapshot is left, and the client calls again. */
async function refreshedInTheEnd(door: Door, refreshToken: string): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await door.refresh(refreshToken)).refreshToken;
    } catch (error) {
      if ((error as ServiceError).code !== status.UNAVAILABLE || tries === MOST_TRIES) throw error;
      console.error('  the load took longer than a command may; called again');
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
    }
  }
}

/** Those that the first loads made are there: snapshots are written in the background. */
async function haveSnapshots({ pool }: BenchDatabase, sessions: readonly AgedSession[]): Promise<void> {
  const streams = sessions.filter(({ age }) => age >= WITH_SNAPSHOT).map(({ sid }) => sessionStream(sid));
  await until('there are snapshots', async () => {
    const { rowCount } = await pool.query('select 1 from curfew.snapshots where stream = any ($1::text[])', [
      streams,
    ]);
    return rowCount === streams.length;
  });
}

/** One of each age after the other, another age first each time: what else the machine does meets them all. */
async function inTurn(door: Door, sessions: readonly AgedSession[]): Promise<Times> {
  const times: Times = new Map(AGES.map((age) => [age, []]));
  for (let turn = 0; turn < REFRESHES * SESSIONS_OF_AGE; turn += 1) {
    const trio = AGES.map((_, i) => {
      const age = AGES[(turn + i) % AGES.length];
      return sessions.filter((session) => session.age === age)[turn % SESSIONS_OF_AGE]!;
    });
    await refreshEach(door, trio, times);
  }
  return times;
}

function figuresOf(store: string, firsts: Times, times: Times): Figure[] {
  const young = median(times.get(AGES[0]) ?? []);
  const old = median(times.get(AGES[2]) ?? []);
  return [
    ...AGES.flatMap((age) =>
      latency(`refresh after ${rotations(age)}, ${store}`, times.get(age) ?? []).filter(
        ({ name }) => !name.endsWith('max'),
      ),
    ),
    {
      name: `ratio of the medians, 100,000 / 1, ${store}`,
      value: old / young,
      unit: '×',
      note: 'target ≤ 1.1',
    },
    {
      name: `first refresh after 100,000 rotations, no snapshot, ${store}`,
      value: median(firsts.get(AGES[2]) ?? []),
      unit: 'ms',
      note: 'with the wait of Retry-After, if it was refused as too late',
    },
  ];
}

const rotations = (age: number): string =>
  `${age.toLocaleString('en')} ${age === 1 ? 'rotation' : 'rotations'}`;
