import type { NodeWay } from '#contracts';
import type { RecentRevocation } from './recent-revocations.port.js';
import type { RevocationCursor } from './revocation-log.port.js';

/** What a node last told. */
export interface NodeReport {
  readonly nodeId: string;
  /** Of its API key, sorted; `*` stands for all. With the node id they are its name. */
  readonly tenants: readonly string[];
  readonly via: NodeWay;
  /** Its staleness bound, milliseconds; 0 if it did not say. */
  readonly boundMs: number;
  /** What it has applied: of the last barrier behind which it had everything. Empty: none, or unknown. */
  readonly cursor: RevocationCursor;
  /** Reference time, milliseconds. */
  readonly reportedAt: number;
  /** By this process's monotonic clock, milliseconds; absent: it reports at another instance. */
  readonly silentForMs?: number;
}

/** The newest reports of all nodes, wherever they are connected: those of other instances half a second late. */
export interface NodeReports {
  /** Errors: `CurfewError('ERR_UNAVAILABLE')`. */
  all(): Promise<readonly NodeReport[]>;
  /** Whether the holder of a cursor has seen the revocation of this mark. */
  shows(cursor: RevocationCursor, mark: string): boolean;
  /** Resolves when there may be news, or after `ms`. All that wait share one look at the store. */
  news(ms: number): Promise<void>;
  /** Nodes that have yet to apply it are asked to report sooner, until the answer is called. */
  hurry(revocation: RecentRevocation): () => void;
}
export const NODE_REPORTS = Symbol('NodeReports');

/** Where the instances leave the reports of their nodes for each other. Errors: `CurfewError('ERR_UNAVAILABLE')`. */
export interface NodeReportStore {
  /** One statement. An older report does not replace a newer one. Not waited for on disk: a lost report comes again. */
  write(reports: readonly NodeReport[]): Promise<void>;
  /** Reports not older than this, in no particular order. */
  read(since: number): Promise<readonly NodeReport[]>;
  prune(before: number): Promise<void>;
}
