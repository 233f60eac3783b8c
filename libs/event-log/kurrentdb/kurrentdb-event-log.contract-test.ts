import { createDatabase } from '../../../test/support/postgres.js';
import { eventLogContract, revocationLogContract } from '../contract.js';
import { toPosition } from './kurrent-position.js';
import { openKurrentInstance, serverUnderTest } from './testing/open-kurrent-instance.js';

const server = serverUnderTest();

eventLogContract(server.name, async () => {
  const [store, database] = await Promise.all([server.start(), createDatabase()]);
  const [one, two] = [
    await openKurrentInstance(store.url, database.url),
    await openKurrentInstance(store.url, database.url),
  ];
  return {
    log: one.log,
    other: two.log,
    get alarms() {
      return [...one.alarms, ...two.alarms];
    },
    close: async () => {
      await Promise.all([one.close(), two.close()]);
      await Promise.all([store.close(), database.drop()]);
    },
  };
});

revocationLogContract(server.name, async () => {
  const [store, database] = await Promise.all([server.start(), createDatabase()]);
  const [one, two] = [
    await openKurrentInstance(store.url, database.url),
    await openKurrentInstance(store.url, database.url),
  ];
  return {
    log: one.log,
    revocations: one.revocations,
    others: two.revocations,
    cursorAt: (number) => toPosition({ commit: BigInt(number), prepare: BigInt(number) }),
    close: async () => {
      await Promise.all([one.close(), two.close()]);
      await Promise.all([store.close(), database.drop()]);
    },
  };
});
