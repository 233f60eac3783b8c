import type pg from 'pg';
import { openPool, runMigrations } from '#platform';
import type { EventLogAlarm } from '../alarm.js';
import type { InlineProjection } from '../postgres/append-batch.js';
import { AppendSignals } from '../postgres/append-signals.js';
import { PostgresEventLog } from '../postgres/postgres-event-log.js';
import { PostgresRevocationLog } from '../postgres/postgres-revocation-log.js';
import { eventLogMigrations } from '../postgres/schema.js';

export interface PostgresInstance {
  readonly log: PostgresEventLog;
  readonly revocations: PostgresRevocationLog;
  readonly pool: pg.Pool;
  readonly alarms: readonly EventLogAlarm[];
  close(): Promise<void>;
}

/** One instance's adapters on a database, which it migrates. */
export async function openPostgresLog(url: string, projection?: InlineProjection): Promise<PostgresInstance> {
  await runMigrations(url, eventLogMigrations);
  const pool = openPool(url, { max: 4 });
  const signals = new AppendSignals(url);
  const alarms: EventLogAlarm[] = [];
  const log = new PostgresEventLog({
    url,
    pool,
    signals,
    onAlarm: (alarm) => alarms.push(alarm),
    ...(projection && { projection }),
  });
  const revocations = new PostgresRevocationLog({ url, signals });
  return {
    log,
    revocations,
    pool,
    alarms,
    close: async () => {
      await Promise.all([log.close(), revocations.close(), signals.close()]);
      await pool.end();
    },
  };
}
