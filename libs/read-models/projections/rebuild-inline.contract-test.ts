import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { AppendSignals, PostgresEventLog, PostgresLogMeasure } from '#event-log';
import type { RecordedEvent } from '#application';
import {
  applyGate,
  chain,
  inlineProbe,
  inlineProbeChanges,
  probe,
} from './testing/probe-projections.spec-support.js';
import {
  anEvent,
  ProjectionBench,
  statusOf,
  type RunnerSetup,
} from './testing/projection-bench.spec-support.js';
import { rounds, SEED, seeded, until } from './testing/rounds.spec-support.js';

const WRITERS = 6;

const expected = (events: readonly RecordedEvent[]): string[] => {
  const streams = new Map<string, string[]>();
  for (const { stream, id } of events) streams.set(stream, [...(streams.get(stream) ?? []), id]);
  return [...streams].map(([stream, ids]) => `(${stream},${ids.length - 1},${chain('', ids)})`).sort();
};

describe('a rebuild of an inline projection', () => {
  let bench: ProjectionBench;
  let signals: AppendSignals;
  let log: PostgresEventLog;
  let setup: RunnerSetup;
  const sessions: pg.Client[] = [];
  beforeAll(async () => {
    bench = await ProjectionBench.open();
    signals = new AppendSignals(bench.url);
    log = new PostgresEventLog({ url: bench.url, pool: bench.pool, signals, projection: inlineProbeChanges });
    setup = {
      definitions: [inlineProbe, probe],
      log,
      measure: new PostgresLogMeasure(bench.pool),
      inline: new PostgresLogMeasure(bench.pool),
    };
  });
  afterEach(async () => {
    delete applyGate.wait;
    await Promise.all(sessions.splice(0).map((session) => session.end()));
    await bench.reset();
  });
  afterAll(async () => {
    await Promise.all([log.close(), signals.close()]);
    await bench.close();
  });

  const session = async (): Promise<pg.Client> => {
    const client = new pg.Client(bench.url);
    await client.connect();
    sessions.push(client);
    return client;
  };
  const append = (stream: string, expectedRevision: number): Promise<string> =>
    log.append([{ stream, expectedRevision, events: [anEvent()] }]);
  const status = () => statusOf(bench.projections(setup), 'sessions');
  const rebuild = (test: { runner: { wake(): void } }): Promise<void> =>
    bench.projections(setup, () => test.runner.wake()).rebuild('sessions');
  const isVersion = (version: number) => async (): Promise<boolean> => (await status()).version === version;
  const wholeLog = async (): Promise<readonly RecordedEvent[]> => (await log.readAll('', 1_000_000)).events;
  const expectViewIsTheLog = async (): Promise<void> => {
    expect(await bench.dump('probe_inline')).toEqual(expected(await wholeLog()));
  };

  /** An append in two steps, in a transaction that the test holds open. */
  class SlowAppend {
    private readonly event = anEvent();
    constructor(
      private readonly client: pg.Client,
      private readonly stream: string,
      private readonly revision: number,
    ) {}
    async insert(): Promise<void> {
      await this.client.query('begin');
      const { id, type, data, metadata } = this.event;
      await this.client.query(
        `insert into curfew.events (stream, revision, event_id, type, schema_version, data, metadata)
          values ($1, $2, $3, $4, 2, $5, $6)`,
        [this.stream, this.revision, id, type, data, metadata],
      );
    }
    async applyView(): Promise<void> {
      const change = { stream: this.stream, revision: this.revision, id: this.event.id };
      await this.client.query('select curfew.apply_inline_views($1)', [JSON.stringify([change])]);
    }
    async commit(): Promise<void> {
      await this.client.query('commit');
    }
  }
  const waiting = async (): Promise<boolean> => {
    const { rows } = await bench.pool.query<{ n: number }>(
      `select count(*)::int as n from pg_locks where not granted and relation = 'curfew.probe_inline'::regclass`,
    );
    return rows[0]!.n > 0;
  };

  it('is never behind in its status, and nobody follows it', async () => {
    const { runner } = bench.started(setup);
    const position = await append('a', -1);
    expect(await status()).toEqual({
      name: 'sessions',
      state: 'live',
      inline: true,
      version: 1,
      position,
      lagEvents: 0,
      lagMs: 0,
    });
    await until(async () => (await statusOf(bench.projections(setup), 'counters')).position === position);
    expect(runner.stats().get('sessions')!.batches).toBe(0);
    await expectViewIsTheLog();
  });

  it('G7: waits for an append that has changed the old version and not committed, and does not miss it', async () => {
    const test = bench.started(setup);
    await append('a', -1);
    const slow = new SlowAppend(await session(), 'slow', 0);
    await slow.insert();
    await slow.applyView();
    await rebuild(test);
    await until(waiting);
    await until(() => test.alarms.some(({ kind }) => kind === 'flip-delayed'), 20_000);
    expect((await status()).version).toBe(1);
    await append('b', -1);
    await slow.commit();
    await until(isVersion(2));
    await append('a', 0);
    await expectViewIsTheLog();
  });

  it('G7: an append that was in the log before the flip and changes the view after it changes the new version', async () => {
    const test = bench.started(setup);
    const client = await session();
    // Its plan for the old version is cached.
    const before = new SlowAppend(client, 'slow', 0);
    await before.insert();
    await before.applyView();
    await before.commit();
    const slow = new SlowAppend(client, 'slow', 1);
    await slow.insert();
    // Behind the horizon that the slow one holds.
    await append('beyond', -1);
    await rebuild(test);
    await until(isVersion(2));
    await slow.applyView();
    await slow.commit();
    await expectViewIsTheLog();
  });

  it('G7: an append that waits for the flip changes the new version', async () => {
    const test = bench.started(setup);
    const client = await session();
    const before = new SlowAppend(client, 'slow', 0);
    await before.insert();
    await before.applyView();
    await before.commit();
    const slow = new SlowAppend(client, 'slow', 1);
    await slow.insert();
    await append('beyond', -1);
    let applying: Promise<void> | undefined;
    applyGate.wait = async (version) => {
      const flips = (await bench.row('sessions', 2))?.['position'] !== '';
      if (version !== 2 || !flips || applying !== undefined) return;
      applying = slow.applyView();
      await until(waiting, 800);
    };
    await rebuild(test);
    await until(isVersion(2));
    expect(applying).toBeDefined();
    await applying;
    await slow.commit();
    await append('slow', 1).catch(() => undefined);
    await expectViewIsTheLog();
  });

  it(`G7: live = rebuilt, byte for byte, while appends go on (seed ${SEED})`, async () => {
    const below = seeded(SEED);
    const test = bench.started(setup);
    let writing = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const revisions = new Map<string, number>();
      while (writing) {
        const stream = `w${writer}-${below(40)}`;
        const revision = revisions.get(stream) ?? -1;
        // None fails: the flip holds appends, but not for as long as they may take.
        await append(stream, revision);
        revisions.set(stream, revision + 1);
        await new Promise((resolve) => setTimeout(resolve, below(6)));
      }
    });
    const last = 1 + rounds(8);
    try {
      for (let version = 2; version <= last; version += 1) {
        await rebuild(test);
        if (below(3) === 0) await bench.cutConnections();
        await until(isVersion(version), 20_000);
      }
    } finally {
      writing = false;
      await Promise.all(writers);
    }
    const live = await bench.dump('probe_inline');
    expect(live).toEqual(expected(await wholeLog()));
    await rebuild(test);
    await until(isVersion(last + 1));
    expect(await bench.dump('probe_inline')).toEqual(live);
  });
});
