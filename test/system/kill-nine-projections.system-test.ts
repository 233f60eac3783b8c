import { afterAll, describe, expect, it } from '@jest/globals';
import {
  dataFolder,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { embeddedUrl, postmasterPid } from '../support/embedded.js';
import { onLog } from '../support/log.js';
import { OperatedProjections, PROJECTIONS, viewRows } from '../support/projections.js';
import { killAfter, Traffic, type Life } from '../support/traffic.js';

const CALLERS = 8;
/** More than 8 refreshes: snapshots are kept. Everything that a view shows comes to pass. */
const LIFE: Life = { refreshes: 10, ends: ['revoke', 'mass', 'theft'] };

describe(`kill -9 of the service during appends, projections, rebuilds and snapshots${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>> | undefined;
  let service: TestService | undefined;
  let rebuilt = 0;
  let interrupted = 0;

  afterAll(async () => {
    await service?.child.stop();
    await folder?.remove();
  });

  it(`G7 G9: no acknowledged event is missing, and live views equal a rebuild (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    const traffics: Traffic[] = [];
    folder = await dataFolder();
    for (let round = 0; round < rounds(3); round += 1) {
      const victim: TestService = service ?? (await start());
      service = victim;
      const traffic = new Traffic(random);
      traffics.push(traffic);
      const postgres = random() < 0.2 ? postmasterPid(folder.path) : undefined;
      await Promise.all([
        killAfter(100 + random() * 1_200, victim, postgres),
        rebuildInTurn(victim, random),
        ...Array.from({ length: CALLERS }, (_, index) =>
          traffic.play(victim, `user-${round}-${index}`, LIFE),
        ),
      ]);

      service = await start();
      await traffic.expectKept(service);
      await traffic.expectSameSuccessors(service);
      await expectLiveEqualsRebuilt(service);
    }
    for (const traffic of traffics) await traffic.expectKept(service!);
    const sessions = traffics.flatMap(({ acknowledged }) => acknowledged).length;
    console.log(
      `${sessions} sessions acknowledged, ${rebuilt} rebuilds done and ${interrupted} cut off by a kill`,
    );
    expect(sessions).toBeGreaterThan(0);
  });

  /** Expired reuse grace: a superseded refresh token is theft at once. */
  const start = () => startTestService(folder!.path, { CURFEW_REUSE_GRACE: '0' });

  /** One rebuild after the other until the service is gone. */
  async function rebuildInTurn(victim: TestService, random: () => number): Promise<void> {
    const projections = new OperatedProjections(victim);
    try {
      for (let turn = Math.floor(random() * 3); ; turn += 1) {
        await projections.rebuild(PROJECTIONS[turn % PROJECTIONS.length]!);
        rebuilt += 1;
      }
    } catch (error) {
      interrupted += 1;
      if (victim.child.running && !isCut(error)) throw error;
    }
  }

  /** The connection broke: of a process that was just killed. */
  const isCut = (error: unknown): boolean => (error as Error).message === 'fetch failed';

  async function expectLiveEqualsRebuilt(running: TestService): Promise<void> {
    const projections = new OperatedProjections(running);
    await projections.caughtUp();
    // What was under way when it was killed is gone on with first.
    for (const name of PROJECTIONS) await projections.settled(name);
    const url = embeddedUrl(folder!.path);
    const read = () => Promise.all(PROJECTIONS.map((name) => viewRows(url, name)));
    const live = await read();
    expect(live.map(({ length }) => length)).not.toContain(0);
    await Promise.all(PROJECTIONS.map((name) => projections.rebuild(name)));
    expect(await read()).toEqual(live);
  }
});
