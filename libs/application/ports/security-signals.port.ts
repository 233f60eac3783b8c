/** Things that an operator must hear of, and things that are only counted. */
export type SecurityAlarm =
  /** Right MAC, wrong secret: a stolen MAC key. */
  | 'refresh-token-forged'
  /** Right MAC, a generation the log does not have: a stolen MAC key, or a log that lost its tail. */
  | 'refresh-token-ahead-of-log'
  | 'theft-detected';

export type SecurityCount =
  'refresh-rotated' | 'refresh-replayed' | 'refresh-refused' | 'refresh-not-authentic';

export interface SecuritySignals {
  /** Logged at warn with the sid (a public handle), and counted. */
  alarm(kind: SecurityAlarm, sid: string): void;
  count(kind: SecurityCount): void;
}
export const SECURITY_SIGNALS = Symbol('SecuritySignals');
