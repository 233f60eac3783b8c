/** What is known of a node and a revocation (DESIGN §7). */
export const NODE_STATES = ['applied', 'bounded', 'outstanding'] as const;
/**
 * - `applied`: the node holds a lease whose barrier began after the append.
 * - `bounded`: it is silent, and its staleness bound is over since the append: it refuses, or has applied it (G2).
 * - `outstanding`: neither yet.
 */
export type NodeState = (typeof NODE_STATES)[number];

/** How nodes get their revocations. */
export const NODE_WAYS = ['watch', 'kafka'] as const;
export type NodeWay = (typeof NODE_WAYS)[number];

export interface NodeReceipt {
  readonly nodeId: string;
  readonly state: NodeState;
  readonly via: NodeWay;
  /** The staleness bound that the node told, milliseconds; 0 if it did not say. */
  readonly boundMs: number;
  /** Of its last report: reference time, milliseconds since the epoch. */
  readonly lastReportMs: number;
}

/** Which nodes have applied a revocation. */
export interface Receipt {
  /** `revocationId` of the revocation: of a session its sid. */
  readonly id: string;
  /** `session`, `user`, `client`, `tenant` or `global`. */
  readonly scope: string;
  readonly position: string;
  /** When it was recorded: reference time, milliseconds since the epoch. */
  readonly recordedAtMs: number;
  /** True when no node is outstanding. */
  readonly complete: boolean;
  /** By node id. */
  readonly nodes: readonly NodeReceipt[];
}
