/** What a schedule is made of. `who` and `what` are small numbers; `describe` in `trace.ts` puts each into words. */
export interface Action {
  readonly kind: ActionKind;
  readonly who: number;
  readonly what: number;
}

export const ACTION_KINDS = [
  'tick',
  'revoke',
  'commit',
  'return',
  'abort',
  'fail-over',
  'crash-store',
  'reconnect-store',
  'begin-barrier',
  'write-barrier',
  'read-barrier',
  'poll',
  'queue',
  'restart-instance',
  'connect',
  'cut',
  'attach',
  'deliver-request',
  'deliver-answer',
  'deliver-old-answer',
  'renew',
  'restart-node',
  'check',
  'decide',
  'introspect',
  'introspection-read',
  'introspection-answer',
  'introspection-receive',
  'sleep',
  'wake',
  'step-wall',
] as const;

export type ActionKind = (typeof ACTION_KINDS)[number];

/**
 * How large a world a search looks at. `budget` says how often a kind may happen in one schedule (0 turns it off); kinds that
 * are not named are not limited: they are bounded by what causes them.
 */
export interface Scope {
  readonly nodes: number;
  readonly instances: number;
  readonly revocations: number;
  /** B, in ticks. */
  readonly bound: number;
  /** Lengths of time that may pass in one action, in ticks. */
  readonly ticks: readonly number[];
  /** By how much a wall clock may step, in ticks. */
  readonly wallSteps: readonly number[];
  /**
   * Lets the wall clock of one process be set back *and* its monotonic clock stand still in a suspend. Then neither clock need
   * have counted the time, which G2's assumption excludes.
   */
  readonly bothClocksFail?: boolean;
  /** Every node begins with a stream to the first instance, its `hello` processed. */
  readonly connected?: boolean;
  /** Instances take barriers also when no renewal waits. */
  readonly idleBarriers?: boolean;
  readonly budget: Partial<Record<ActionKind, number>>;
  /** Kinds that a random search should take more or less often here than it does by default. */
  readonly weights?: Partial<Record<ActionKind, number>>;
}
