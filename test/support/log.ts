import { KurrentDbDouble } from '../../libs/event-log/kurrentdb/double/kurrentdb-double.js';

type LogName = 'postgres' | 'kurrentdb';

/** Where the services of the system tests keep their log: `CURFEW_TEST_LOG=kurrentdb npm run test:system`. */
const chosen: LogName = process.env['CURFEW_TEST_LOG'] === 'kurrentdb' ? 'kurrentdb' : 'postgres';
const server = process.env['KURRENTDB_URL'];

/** What stands in for KurrentDB: a test says it in its name. */
export const KURRENTDB =
  server === undefined ? 'KurrentDB protocol double' : 'KurrentDB server of KURRENTDB_URL';

/** The double does as it is told: it goes away and comes back. */
export const isDouble = server === undefined;

/** Ends a test's name with the log, unless it is the default one. */
export const onLog = chosen === 'postgres' ? '' : ` [log: ${KURRENTDB}]`;
export const isOnPostgres = chosen === 'postgres';

const doubles = new Map<string, Promise<KurrentDbDouble>>();

/** The double beside a data folder, started when it is first asked for. It lives in this process: no kill of the service ends it. */
export function doubleOf(folder: string): Promise<KurrentDbDouble> {
  const double = doubles.get(folder) ?? KurrentDbDouble.start();
  doubles.set(folder, double);
  return double;
}

/** Settings of a service on that folder. */
export async function logEnvironment(folder: string, log: LogName = chosen): Promise<Record<string, string>> {
  if (log === 'postgres') return {};
  return { KURRENTDB_URL: server ?? (await doubleOf(folder)).url };
}

export async function removeLog(folder: string): Promise<void> {
  const double = await doubles.get(folder);
  doubles.delete(folder);
  await double?.close();
}
