import { Logger } from '@nestjs/common';
import type pg from 'pg';
import type { EventLog, Position, RevocationLog } from '#application';
import {
  AppendSignals,
  CheckedEventLog,
  CheckedRevocationLog,
  HorizonWatch,
  isKurrentPosition,
  isPostgresPosition,
  KurrentEventLog,
  KurrentLogMeasure,
  KurrentRevocationLog,
  PostgresEventLog,
  PostgresLogMeasure,
  PostgresRevocationLog,
  PostgresSnapshots,
  type EventLogAlarm,
} from '#event-log';
import { BacklogRevocationLog, type OpenRelayLog } from '#revocation-bus';
import { sessionViewChanges, type InlineLog, type LogMeasure } from '#read-models';
import type { MetricSource } from './metrics/metrics.js';
import type { UndoList } from './undo-list.js';

/** The log, on either store. */
export interface OpenLog {
  readonly eventLog: EventLog;
  /** Events as they are stored, of any version: for projections, which name the event that they cannot read. */
  readonly storedLog: EventLog;
  readonly revocationLog: RevocationLog;
  /** Another reader of the revocations, for a leadership of the relay. */
  readonly openRelayLog: OpenRelayLog;
  readonly measure: LogMeasure;
  readonly isPosition: (text: string) => boolean;
  /** Given if the appends keep the session view. */
  readonly inline?: InlineLog & { isCommitted(position: Position): Promise<boolean> };
  readonly metrics: readonly MetricSource[];
}

export interface Database {
  readonly url: string;
  readonly pool: pg.Pool;
}

/** A session id is a public handle; other streams are named after a user, a client or a tenant: only their kind is told. */
const publicName = (stream: string): string =>
  stream.startsWith('session-') ? stream : (/^(scope|epoch)-[a-z]+/.exec(stream)?.[0] ?? 'another stream');

/** Counts alarms and tells them; the details name streams and transactions, never what is in them. */
class LogAlarms {
  private readonly logger = new Logger('event-log');
  private readonly counts = new Map<EventLogAlarm['kind'], number>([
    ['snapshot-ahead', 0],
    ['horizon-held', 0],
  ]);

  readonly tell = (alarm: EventLogAlarm): void => {
    const { kind, ...details } = alarm;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const told = 'stream' in details ? { ...details, stream: publicName(details.stream) } : details;
    this.logger.error(`${kind}: ${JSON.stringify(told)}`);
  };

  readonly metric: MetricSource = {
    name: 'curfew_event_log_alarms_total',
    help: 'Alarms of the event log since the start, by kind.',
    type: 'counter',
    collect: () => [...this.counts].map(([kind, value]) => ({ labels: { kind }, value })),
  };
}

/** Needs the migrations of `storage.ts`. Opens its connections when they are first used. */
export function openLog(kurrentUrl: string | undefined, database: Database, undo: UndoList): OpenLog {
  const alarms = new LogAlarms();
  return kurrentUrl === undefined
    ? onPostgres(database, alarms, undo)
    : onKurrent(kurrentUrl, database, alarms, undo);
}

function onPostgres({ url, pool }: Database, alarms: LogAlarms, undo: UndoList): OpenLog {
  const signals = new AppendSignals(url);
  undo.add(() => signals.close());
  const revocationLog = new PostgresRevocationLog({ url, signals });
  undo.add(() => revocationLog.close());
  const eventLog = new PostgresEventLog({
    url,
    pool,
    signals,
    projection: sessionViewChanges,
    onAlarm: alarms.tell,
  });
  undo.add(() => eventLog.close());
  const horizon = new HorizonWatch({ pool, onAlarm: alarms.tell });
  horizon.start();
  undo.add(() => horizon.close());
  const measure = new PostgresLogMeasure(pool);
  return {
    eventLog: new CheckedEventLog(eventLog),
    storedLog: eventLog,
    revocationLog: new CheckedRevocationLog(revocationLog),
    openRelayLog: (connection, checkpoint) => {
      const log = new PostgresRevocationLog({ url, signals, connection });
      return {
        log: withBacklog(log, checkpoint, (after) => log.readBacklog(after)),
        close: () => log.close(),
      };
    },
    measure,
    isPosition: isPostgresPosition,
    inline: measure,
    metrics: [alarms.metric, horizonMetric(horizon)],
  };
}

const horizonMetric = (horizon: HorizonWatch): MetricSource => ({
  name: 'curfew_horizon_held_seconds',
  help: 'How long the oldest open transaction has held back everything that reads the log in order. Revocations do not wait.',
  type: 'gauge',
  collect: () => {
    const { heldSeconds } = horizon.stats();
    return heldSeconds === undefined ? [] : [{ labels: {}, value: heldSeconds }];
  },
});

const withBacklog = (...[log, checkpoint, read]: ConstructorParameters<typeof BacklogRevocationLog>) =>
  new CheckedRevocationLog(new BacklogRevocationLog(log, checkpoint, read));

function onKurrent(url: string, database: Database, alarms: LogAlarms, undo: UndoList): OpenLog {
  const snapshots = new PostgresSnapshots(database.pool);
  undo.add(() => snapshots.close());
  const revocationLog = new KurrentRevocationLog({ url, databaseUrl: database.url });
  undo.add(() => revocationLog.close());
  const eventLog = new KurrentEventLog({ url, snapshots, onAlarm: alarms.tell });
  undo.add(() => eventLog.close());
  return {
    eventLog: new CheckedEventLog(eventLog),
    storedLog: eventLog,
    revocationLog: new CheckedRevocationLog(revocationLog),
    // The lock alone is in PostgreSQL.
    openRelayLog: (_connection, checkpoint) => {
      const log = new KurrentRevocationLog({ url, databaseUrl: database.url });
      return { log: withBacklog(log, checkpoint, (after) => log.read(after)), close: () => log.close() };
    },
    measure: new KurrentLogMeasure(eventLog),
    isPosition: isKurrentPosition,
    metrics: [alarms.metric],
  };
}
