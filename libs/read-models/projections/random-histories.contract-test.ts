import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppendSignals, PostgresEventLog, PostgresLogMeasure } from '#event-log';
import { countersProjection } from '../counters/counters-projection.js';
import { readModelMigrations } from '../migrations.js';
import { securityFeedProjection } from '../security-feed/security-feed-projection.js';
import { sessionViewChanges } from '../sessions/session-view-changes.js';
import { sessionsProjection } from '../sessions/sessions-projection.js';
import { RandomHistory } from '../testing/random-history.js';
import { ProjectionBench, statusOf, type RunnerSetup } from './testing/projection-bench.spec-support.js';
import { rounds, SEED, seeded, until } from './testing/rounds.spec-support.js';

const DEFINITIONS = [sessionsProjection, securityFeedProjection, countersProjection];
const APPENDS_A_ROUND = 120;

describe.each([
  ['kept by the appends', true],
  ['following the log', false],
])('the projections, session views %s', (_, inline) => {
  let bench: ProjectionBench;
  let signals: AppendSignals;
  let log: PostgresEventLog;
  let setup: RunnerSetup;
  beforeAll(async () => {
    bench = await ProjectionBench.open(readModelMigrations);
    signals = new AppendSignals(bench.url);
    const projection = inline ? { projection: sessionViewChanges } : {};
    log = new PostgresEventLog({ url: bench.url, pool: bench.pool, signals, ...projection });
    setup = {
      definitions: DEFINITIONS,
      log,
      measure: new PostgresLogMeasure(bench.pool),
      ...(inline && { inline: new PostgresLogMeasure(bench.pool) }),
    };
  });
  afterAll(async () => {
    await Promise.all([log.close(), signals.close()]);
    await bench.close();
  });

  const dump = async (): Promise<string[][]> =>
    Promise.all(DEFINITIONS.flatMap(({ tables }) => tables.map((table) => bench.dump(table))));

  it(`G7: live = rebuilt, byte for byte, with appends, rebuilds, two instances and cut connections at once (seed ${SEED})`, async () => {
    const below = seeded(SEED);
    const history = new RandomHistory({ below, pick: (items) => items[below(items.length)]! });
    const alarms = [bench.started(setup), bench.started(setup)].map((test) => test.alarms);
    const projections = bench.projections(setup);
    const versionOf = async (name: string): Promise<number> => (await statusOf(projections, name)).version;
    for (let round = 0; round < rounds(4); round += 1) {
      const rebuilt = below(2) === 0 ? DEFINITIONS : [DEFINITIONS[below(DEFINITIONS.length)]!];
      const before = new Map<string, number>();
      for (const { name } of rebuilt) before.set(name, await versionOf(name));
      await Promise.all(rebuilt.map(({ name }) => projections.rebuild(name)));
      for (const appends of history.appends(APPENDS_A_ROUND)) {
        await log.append(appends);
        if (below(30) === 0) await bench.cutConnections(0.5);
      }
      for (const [name, version] of before)
        await until(async () => (await versionOf(name)) > version, 20_000);
    }
    const settled = async (): Promise<boolean> =>
      (await projections.status()).every(
        ({ lagEvents, rebuild }) => lagEvents === 0 && rebuild === undefined,
      );
    await until(settled, 20_000);
    const live = await dump();
    for (const rows of live) expect(rows.length).toBeGreaterThan(5);
    const versions = (await projections.status()).map(({ version }) => version);
    for (const { name } of DEFINITIONS) await projections.rebuild(name);
    await until(settled, 20_000);
    expect((await projections.status()).map(({ version }) => version)).toEqual(versions.map((v) => v + 1));
    expect(await dump()).toEqual(live);
    expect(alarms.flat().filter(({ kind }) => ['paused', 'rebuild-failed'].includes(kind))).toEqual([]);
  });
});
