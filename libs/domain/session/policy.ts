/** What holds for one session, resolved at its creation. Durations are milliseconds. */
export interface ResolvedPolicy {
  readonly accessTtl: number;
  readonly idleTimeout: number;
  readonly absoluteTimeout: number;
  /** 0 turns the grace off. */
  readonly reuseGrace: number;
}
