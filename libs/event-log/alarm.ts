/** What an operator must look at. Metrics and logs are the caller's. */
export type EventLogAlarm =
  | {
      /** A stored snapshot is ahead of its stream: the log lost its tail, or was restored from an older copy. It was discarded. */
      readonly kind: 'snapshot-ahead';
      readonly stream: string;
      readonly snapshotRevision: number;
      /** Of the stream; -1 if there is none. */
      readonly revision: number;
    }
  | {
      /** A transaction keeps everything that reads the log in order waiting (subscriptions, projections). Once per episode. */
      readonly kind: 'horizon-held';
      readonly held: HeldHorizon;
    };

/** The oldest transaction with an id, in any database of the cluster: no ordered reader sees past it. */
export interface HeldHorizon {
  /** Of a session, or prepared and not ended by anybody. */
  readonly by: 'transaction' | 'prepared-transaction';
  /** How long it has been open. */
  readonly seconds: number;
  /** Transaction ids given out since. */
  readonly transactionsBehind: number;
  /** Its session, for `pg_terminate_backend`; none if it is prepared. */
  readonly pid?: number;
  readonly database?: string;
}

export type OnAlarm = (alarm: EventLogAlarm) => void;
