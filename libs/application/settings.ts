/** What the use cases need of the configuration. Durations are milliseconds. */
export interface SessionSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly accessTtl: number;
  /** No access token lives longer; nodes refuse one that does. */
  readonly maxAccessTtl: number;
  readonly idleTimeout: number;
  readonly absoluteTimeout: number;
  /** 0 turns the grace off. */
  readonly reuseGrace: number;
  readonly allowEmailSub: boolean;
}
export const SESSION_SETTINGS = Symbol('SessionSettings');
