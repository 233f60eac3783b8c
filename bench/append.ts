import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { NewEvent } from '#application';
import { FIRST_EPOCHS, type SessionCreated } from '#domain';
import { AppendSignals, eventLogMigrations, PostgresEventLog, type InlineProjection } from '#event-log';
import { openPool, runMigrations, startEmbeddedPostgres } from '#platform';
import { readModelMigrations, sessionViewChanges } from '#read-models';
import { closedLoop, latency, type BenchResult, type Figure } from './measure.js';

const CALLERS = [1, 16, 64, 512];
const WARM_UP_MS = 1_000;
const MEASURED_MS = 3_000;
/** As many as a service might give to inserts of its own. */
const BARE_CONNECTIONS = 16;
const DAY_MS = 86_400_000;

/** One durable append of one event to a stream of its own. */
type Append = (stream: string, event: NewEvent) => Promise<unknown>;

interface Subject {
  readonly name: string;
  readonly append: Append;
  close(): Promise<void>;
}

/**
 * Durable appends per second and their latency at 1, 16, 64 and 512 callers: through the log, without and with the inline
 * view of sessions, beside bare single-row inserts of the same row by a pool of 16 connections. One server, one run; the
 * callers share the machine with it. The event is a `session.created` with a sealed device of usual size.
 */
export async function append(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'curfew-bench-'));
  const server = await startEmbeddedPostgres({ folder: join(folder, 'data') });
  const figures: Figure[] = [];
  try {
    await runMigrations(server.url, [...eventLogMigrations, ...readModelMigrations]);
    const subjects = [await openBare(server.url), openLog(server.url), openLogWithView(server.url)];
    // Side by side: what else the machine does meets them all.
    for (const callers of CALLERS) {
      for (const subject of subjects) figures.push(...(await measured(subject, callers)));
    }
    await Promise.all(subjects.map((subject) => subject.close()));
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return { bench: 'append', figures };
}

async function measured({ name, append: appendOne }: Subject, callers: number): Promise<Figure[]> {
  const once = async (): Promise<void> => {
    await appendOne(`session-${randomUUID()}`, sessionCreated());
  };
  await closedLoop(callers, WARM_UP_MS, once);
  const run = await closedLoop(callers, MEASURED_MS, once);
  const title = `${name}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
  return [
    { name: title, value: run.perSecond, unit: '/s' },
    ...latency(title, run.latencies).filter(({ name: figure }) => !figure.endsWith('max')),
  ];
}

/** What any program could do with the table: the columns and the primary key of the log, one insert per event. */
async function openBare(url: string): Promise<Subject> {
  const pool = openPool(url, { max: BARE_CONNECTIONS });
  await pool.query(`create table bare_events (
    position bigint generated always as identity, stream text collate "C", revision int, event_id uuid, type text,
    schema_version smallint, data jsonb, metadata jsonb, primary key (stream, revision))`);
  return {
    name: `bare inserts, ${BARE_CONNECTIONS} connections`,
    append: (stream, event) => pool.query(bareInsert(stream, event)),
    close: () => pool.end(),
  };
}

const bareInsert = (stream: string, event: NewEvent): pg.QueryConfig<unknown[]> => ({
  name: 'bare-insert',
  text: `insert into bare_events (stream, revision, event_id, type, schema_version, data, metadata)
    values ($1, 0, $2, $3, $4, $5, $6)`,
  values: [stream, event.id, event.type, event.schemaVersion, event.data, event.metadata],
});

const openLog = (url: string): Subject => openLogAs('log', url, () => []);
const openLogWithView = (url: string): Subject => openLogAs('log with inline view', url, sessionViewChanges);

function openLogAs(name: string, url: string, projection: InlineProjection): Subject {
  const pool = openPool(url, { max: 2 });
  const signals = new AppendSignals(url);
  const log = new PostgresEventLog({ url, pool, signals, projection });
  return {
    name,
    append: (stream, event) => log.append([{ stream, expectedRevision: -1, events: [event] }]),
    close: async () => {
      await log.close();
      await signals.close();
      await pool.end();
    },
  };
}

let users = 0;

/** As the service writes it. */
function sessionCreated(): NewEvent {
  const at = Date.now();
  const sub = `user-${(users += 1)}`;
  return {
    id: randomUUID(),
    type: 'session.created',
    schemaVersion: 2,
    data: {
      sub,
      tenant: 'default',
      client: 'default',
      roles: ['member'],
      authTime: Math.floor(at / 1_000),
      policy: {
        accessTtl: 300_000,
        idleTimeout: 14 * DAY_MS,
        absoluteTimeout: 90 * DAY_MS,
        reuseGrace: 10_000,
      },
      macKeyId: 1,
      secretHash: randomBytes(32).toString('base64url'),
      at,
      accessExp: Math.floor(at / 1_000) + 300,
      ep: FIRST_EPOCHS,
      device: { keyId: sub, box: randomBytes(120).toString('base64url') },
    } satisfies SessionCreated['data'],
    metadata: {
      recordedAt: at,
      actor: { kind: 'api-key', id: 'bench' },
      initiator: 'user',
      tenant: 'default',
      correlationId: randomUUID(),
      keyId: sub,
    },
  };
}
