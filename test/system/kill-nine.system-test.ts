import { afterAll, describe, it } from '@jest/globals';
import {
  dataFolder,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { postmasterPid } from '../support/embedded.js';
import { onLog } from '../support/log.js';
import { killAfter, Traffic } from '../support/traffic.js';

const CALLERS = 4;

describe(`kill -9 of the service at any instant${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>> | undefined;
  let service: TestService | undefined;

  afterAll(async () => {
    await service?.child.stop();
    await folder?.remove();
  });

  it(`G9 G3: loses no acknowledged event; a refresh retried with its key gets the same successor (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    folder = await dataFolder();
    for (let round = 0; round < rounds(3); round += 1) {
      const victim = await startTestService(folder.path);
      service = victim;
      const traffic = new Traffic(random);
      const postgres = random() < 0.3 ? postmasterPid(folder.path) : undefined;
      await Promise.all([
        killAfter(random() * 120, victim, postgres),
        ...Array.from({ length: CALLERS }, (_, index) =>
          traffic.play(victim, `user-${index}`, { refreshes: 3, ends: ['revoke'] }),
        ),
      ]);

      service = await startTestService(folder.path);
      await traffic.expectKept(service);
      await traffic.expectSameSuccessors(service);
      await service.child.stop();
    }
  });
});
