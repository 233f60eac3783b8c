/** What the driver and a node process say to each other. */
export interface NodeSettings {
  readonly name: string;
  readonly service: string;
  readonly watch: readonly string[];
  readonly apiKey: string;
  readonly issuer: string;
  readonly audience: string;
  /** B, milliseconds. */
  readonly bound: number;
  readonly onStale: 'introspect' | 'reject';
  readonly maxSessions?: number;
  /** Revocations come over Kafka. Absent: over Watch. */
  readonly kafka?: { readonly brokers: readonly string[]; readonly fallback: 'watch' | 'none' };
}

export type ToNode =
  | { readonly kind: 'tell'; readonly tokens: readonly (readonly [sid: string, token: string])[] }
  /** Asked about from now on rarely, then not at all. */
  | { readonly kind: 'cool' | 'forget'; readonly sids: readonly string[] }
  | { readonly kind: 'ask'; readonly question: number };

export interface NodeCounts {
  accepted: number;
  /** ERR_TOKEN_REFUSED. */
  refused: number;
  /** ERR_STALE. */
  stale: number;
  /** Anything else. */
  failed: number;
}

export interface NodeReport {
  /** Of an `ask`; absent in the regular reports. */
  readonly question?: number;
  /** When the `verify` *began* that accepted the session last, by `monotonicNow`; of those that changed since the last report. */
  readonly accepted: readonly (readonly [sid: string, asked: number])[];
  /** When the session was refused for the first time; each once. */
  readonly refused: readonly (readonly [sid: string, answered: number])[];
  readonly counts: NodeCounts;
  readonly hits: number;
  readonly introspections: number;
  readonly fresh: boolean;
  /** Codes of errors that no test expects, and how often. */
  readonly surprises: Readonly<Record<string, number>>;
}
