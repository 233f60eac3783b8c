import { openPool, runMigrations } from '#platform';
import type { EventLogAlarm } from '../../alarm.js';
import { PostgresSnapshots } from '../../postgres/postgres-snapshots.js';
import { eventLogMigrations } from '../../postgres/schema.js';
import { KurrentDbDouble } from '../double/kurrentdb-double.js';
import { KurrentEventLog } from '../kurrent-event-log.js';
import { KurrentRevocationLog } from '../kurrent-revocation-log.js';
import { kurrentdbMigrations } from '../schema.js';

export interface KurrentInstance {
  readonly log: KurrentEventLog;
  readonly revocations: KurrentRevocationLog;
  readonly alarms: readonly EventLogAlarm[];
  close(): Promise<void>;
}

/** One instance's adapters on a KurrentDB, with a PostgreSQL database beside it, which it migrates. */
export async function openKurrentInstance(url: string, databaseUrl: string): Promise<KurrentInstance> {
  await runMigrations(databaseUrl, [...eventLogMigrations, ...kurrentdbMigrations]);
  const pool = openPool(databaseUrl, { max: 4 });
  const snapshots = new PostgresSnapshots(pool);
  const alarms: EventLogAlarm[] = [];
  const log = new KurrentEventLog({ url, snapshots, onAlarm: (alarm) => alarms.push(alarm) });
  const revocations = new KurrentRevocationLog({ url, databaseUrl });
  return {
    log,
    revocations,
    alarms,
    close: async () => {
      await Promise.all([log.close(), revocations.close(), snapshots.close()]);
      await pool.end();
    },
  };
}

export interface ServerUnderTest {
  readonly name: string;
  start(): Promise<{ readonly url: string; close(): Promise<void> }>;
}

/** The server that `KURRENTDB_URL` names, else the double. The name says which. */
export function serverUnderTest(): ServerUnderTest {
  const url = process.env['KURRENTDB_URL'];
  if (url === undefined) return { name: 'KurrentDB protocol double', start: () => KurrentDbDouble.start() };
  return {
    name: 'KurrentDB server of KURRENTDB_URL',
    start: () => Promise.resolve({ url, close: () => Promise.resolve() }),
  };
}
