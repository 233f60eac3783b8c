import type { DialGrpc, StreamEnd } from '../watch/grpc-call.js';
import type { Revocation } from '../watch/protobuf.js';
import type { Clocks } from './clocks.js';
import type { Lease, Reading } from './lease.js';

/** Where a node hears of revocations. */
export type SourceName = 'watch' | 'kafka';

/** What a source needs to know of the node's options. */
export interface SourceOptions {
  /** Addresses of the gRPC door, used in turn. */
  readonly watch: readonly string[];
  readonly apiKey: string;
  readonly nodeId: string;
  /** B in milliseconds. */
  readonly bound: number;
}

/** Said when every revocation was handed over that was visible to a barrier that began after `reading`. */
export interface SourceRenewal {
  readonly via: SourceName;
  /** `lease.reading()`, taken *before* the renewal was sent; undefined if no renewal is known that this answers: no lease. */
  readonly reading: Reading | undefined;
  /** How old the knowledge of the answering side is: 0 at an instance, more behind a relay. Milliseconds. */
  readonly ageMs: number;
  /** Opaque: up to where the log was read. */
  readonly cursor: string;
  readonly referenceTimeMs: number;
  readonly maxAccessTtlMs: number;
}

/** What a source is given of the node and of the world around it. */
export interface SourceSurroundings {
  readonly clocks: Clocks;
  /** The node's; extended by `onRenewed` only. */
  readonly lease: Lease;
  readonly dial: DialGrpc;
  /** Remembers a revocation and drops what it ends, before it returns. In any order, any number of times. */
  readonly onRevocation: (revocation: Revocation) => void;
  /** To extend the lease is the last thing it does. */
  readonly onRenewed: (renewal: SourceRenewal) => void;
  /** Something failed and is tried again. @param where an address without credentials, for people. */
  readonly onFailure: (via: SourceName, where: string, end: StreamEnd) => void;
}

/** A source that feeds one node. */
export interface RunningSource {
  /** Begins; never throws, and tries again for ever. It keeps no process alive. */
  connect(): void;
  /** Nothing is told after it. Idempotent. A promise resolves when nothing of it is left. */
  close(): void | Promise<void>;
}

/** Makes the source of one node: Watch is one, Kafka with Watch as its fallback another (ADR 21). */
export type OpenRevocationSource = (
  options: SourceOptions,
  surroundings: SourceSurroundings,
) => RunningSource;

declare const SOURCE: unique symbol;

/** Where the revocations come from: made by `kafkaRevocations()` of `@curfew/sdk/kafka`. Nothing in it is for others to use. */
export interface RevocationSource {
  readonly [SOURCE]: never;
}

/** How an entry of this package makes its source opaque for the users of `createCurfew`. */
export const asRevocationSource = (open: OpenRevocationSource): RevocationSource =>
  open as unknown as RevocationSource;
