import { createDatabase } from '../../../test/support/postgres.js';
import { eventLogContract, revocationLogContract } from '../contract.js';
import { openPostgresLog } from '../testing/open-postgres-log.js';

eventLogContract('PostgreSQL', async () => {
  const database = await createDatabase();
  const [one, two] = [await openPostgresLog(database.url), await openPostgresLog(database.url)];
  return {
    log: one.log,
    other: two.log,
    get alarms() {
      return [...one.alarms, ...two.alarms];
    },
    close: async () => {
      await Promise.all([one.close(), two.close()]);
      await database.drop();
    },
  };
});

revocationLogContract('PostgreSQL', async () => {
  const database = await createDatabase();
  const [one, two] = [await openPostgresLog(database.url), await openPostgresLog(database.url)];
  return {
    log: one.log,
    revocations: one.revocations,
    others: two.revocations,
    cursorAt: (number) => `${number}:${number}:`,
    close: async () => {
      await Promise.all([one.close(), two.close()]);
      await database.drop();
    },
  };
});
