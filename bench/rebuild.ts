import type { ProjectionName, ProjectionStatus } from '#application';
import { AppendSignals, PostgresEventLog } from '#event-log';
import { grpcDoor, type Door } from './doors.js';
import {
  startBenchDatabase,
  startBenchService,
  type BenchDatabase,
  type BenchService,
} from './environment.js';
import { latency, until, type BenchResult, type Figure } from './measure.js';
import { finishSeeding, seedHistory } from './seed-sessions.js';

const HISTORY = { tenant: 'default', sessions: 50_000, users: 12_500 };
const ROTATIONS = 9;
/** As a rebuild reads. */
const PAGE_EVENTS = 5_000;
const NAMES = ['sessions', 'security-feed', 'counters'] as const satisfies readonly ProjectionName[];
/** Two callers that wait between their calls: about a hundred creates a second. */
const LIGHT_CALLERS = 2;
const LIGHT_PAUSE_MS = 15;
const LIGHT_MS = 5_000;

/**
 * Events per second of a rebuild of each projection, from the call to the flip, beside a bare read of the same log; and what
 * creates that come meanwhile have to wait. The history is 50,000 sessions with nine rotations each, written by SQL.
 */
export async function rebuild(): Promise<BenchResult> {
  const database = await startBenchDatabase();
  let service: BenchService | undefined;
  try {
    const begun = performance.now();
    const events = await seedHistory(database, HISTORY, ROTATIONS);
    await finishSeeding(database);
    console.error(`  ${events} events seeded in ${Math.round(performance.now() - begun)} ms`);
    const figures = [await bareRead(database)];
    service = await startBenchService({ database, env: { CURFEW_SWEEP_INTERVAL: '0' } });
    await allTakenIn(database, events);
    for (const name of NAMES) figures.push(await rebuilt(service, name, events));
    await assertViews(database);
    figures.push(...(await underLoad(service, events)));
    return { bench: 'rebuild', figures };
  } finally {
    await service?.stop();
    await database.stop();
  }
}

async function bareRead({ url, pool }: BenchDatabase): Promise<Figure> {
  const signals = new AppendSignals(url);
  const log = new PostgresEventLog({ url, pool, signals });
  const begun = performance.now();
  let read = 0;
  for (let [after, caughtUp] = ['', false]; !caughtUp;) {
    const page = await log.readAll(after, PAGE_EVENTS);
    read += page.events.length;
    [after, caughtUp] = [page.position, page.caughtUp];
  }
  const value = (read * 1_000) / (performance.now() - begun);
  await log.close();
  await signals.close();
  return { name: `bare read of ${read.toLocaleString('en')} events, pages of 5,000`, value, unit: '/s' };
}

/** The projections that follow the log have come to its end, so that nothing else is under way. */
const allTakenIn = ({ pool }: BenchDatabase, events: number): Promise<void> =>
  until('the projections have caught up', async () => {
    const { rowCount } = await pool.query(
      `select 1 from curfew.projections where state = 'live' and name <> 'sessions' and events_done >= $1`,
      [events],
    );
    return rowCount === NAMES.length - 1;
  });

async function rebuilt(service: BenchService, name: ProjectionName, events: number): Promise<Figure> {
  const seconds = await rebuildSeconds(service, name);
  return {
    name: `rebuild of ${name}, ${events.toLocaleString('en')} events`,
    value: events / seconds,
    unit: '/s',
    ...(name === 'sessions' && { note: 'target ≥ 50,000' }),
  };
}

async function rebuildSeconds(service: BenchService, name: ProjectionName): Promise<number> {
  const { version } = await statusOf(service, name);
  const begun = performance.now();
  await call(service, 'POST', `/v1/projections/${name}/rebuild`);
  await until(`${name} is rebuilt`, async () => {
    const status = await statusOf(service, name);
    if (status.rebuild?.state === 'failed') throw new Error(`the rebuild failed: ${status.rebuild.error}`);
    return status.version > version;
  });
  return (performance.now() - begun) / 1_000;
}

async function statusOf(service: BenchService, name: ProjectionName): Promise<ProjectionStatus> {
  const answer = await call(service, 'GET', '/v1/projections');
  const { projections } = (await answer.json()) as { projections: readonly ProjectionStatus[] };
  return projections.find((status) => status.name === name)!;
}

async function call({ http, apiKey }: BenchService, method: string, path: string): Promise<Response> {
  const response = await fetch(http + path, { method, headers: { authorization: `Bearer ${apiKey}` } });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response;
}

/** @throws Error if the rebuilt view is not what the history says */
async function assertViews({ pool }: BenchDatabase): Promise<void> {
  const { rows } = await pool.query<{ all: number; ended: number; rotated: number }>(
    `select count(*)::int as all, count(ended_at)::int as ended, count(*) filter (where gen = $1)::int as rotated
      from curfew.session_views`,
    [ROTATIONS],
  );
  const { sessions } = HISTORY;
  const expected = { all: sessions, ended: sessions * (1 / 10 + 1 / 10 + 1 / 1_000), rotated: sessions };
  const found = rows[0]!;
  if (found.all !== expected.all || found.ended !== expected.ended || found.rotated !== expected.rotated)
    throw new Error(`the view holds ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}

/** What the flip of the inline view costs appends: it holds them while it applies the rest. */
async function underLoad(service: BenchService, events: number): Promise<Figure[]> {
  const door = grpcDoor(service);
  await lightLoad(door, pause(LIGHT_MS / 2));
  const before = await lightLoad(door, pause(LIGHT_MS));
  const rebuilding = rebuildSeconds(service, 'sessions');
  const during = await lightLoad(door, rebuilding);
  const seconds = await rebuilding;
  door.close();
  return [
    { name: 'rebuild of sessions under a light load of creates', value: events / seconds, unit: '/s' },
    ...latency('create before the rebuild, light load', before),
    ...latency('create during the rebuild, light load', during),
  ];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns the latencies of the creates, ms, until `end` settles */
async function lightLoad(door: Door, end: Promise<unknown>): Promise<number[]> {
  const latencies: number[] = [];
  let ended = false;
  const stop = (): void => void (ended = true);
  end.then(stop, stop);
  await Promise.all(
    Array.from({ length: LIGHT_CALLERS }, async (_, caller) => {
      while (!ended) {
        const sent = performance.now();
        await door.create(`light-${caller}-${latencies.length}`);
        latencies.push(performance.now() - sent);
        await pause(LIGHT_PAUSE_MS);
      }
    }),
  );
  return latencies;
}
