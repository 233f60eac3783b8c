import type { Initiator } from '#contracts';

/** Where an event stands in the whole log. Opaque and totally ordered by the store; `''` is before the first. */
export type Position = string & { readonly __brand?: 'Position' };

export interface Actor {
  readonly kind: 'api-key' | 'system';
  /** Id of the API key, or the name of the part of the service. */
  readonly id: string;
}

export interface EventMetadata {
  /** Reference time, milliseconds since the epoch. For the record: nothing is ordered by it. */
  readonly recordedAt: number;
  readonly actor: Actor;
  readonly initiator: Initiator;
  readonly tenant: string;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Id of the user key that seals the event's personal data. */
  readonly keyId?: string;
}

export interface NewEvent {
  /** UUID. Appending an id again to the same stream is answered as the first time (idempotent). */
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  /** JSON. No secret, no personal data in the clear. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: EventMetadata;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** 0 for the first event of a stream. */
  readonly revision: number;
  readonly position: Position;
}

export interface StreamAppend {
  readonly stream: string;
  /** Revision of the last event that the decision saw; -1: the stream must not exist. */
  readonly expectedRevision: number;
  /** At least one. */
  readonly events: readonly NewEvent[];
}

export interface StreamSlice {
  readonly events: readonly RecordedEvent[];
  /** Revision of the stream's last event (not of the slice's); -1 if there is no stream. */
  readonly revision: number;
}

/**
 * What a stream folds to at one of its revisions. A shortcut, never the truth: it may be lost, and it is checked before use.
 */
export interface StreamSnapshot {
  readonly stream: string;
  /** The state holds the events up to and including this one. */
  readonly revision: number;
  /** Names the shape of `state` and the fold that made it; one of another format is not used. */
  readonly format: string;
  /** JSON. Sealed fields stay sealed. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** A stream's newest usable snapshot and every event after it (all events if there is none). */
export interface StreamTail extends StreamSlice {
  readonly snapshot?: StreamSnapshot;
}

export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** Resume here. */
  readonly position: Position;
  /** True when the page reached the end of what may be read in order now. */
  readonly caughtUp: boolean;
}

export type SubscriptionMessage =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'caught-up'; readonly position: Position };

/** Thrown by `append` when a stream is not at its expected revision: nothing was written; load and decide again. */
export class ConcurrencyConflict extends Error {
  override readonly name = 'ConcurrencyConflict';
  constructor(
    readonly stream: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`stream ${stream}: expected revision ${expected}, found ${actual}`);
  }
}

/**
 * The append-only log: the truth (G7, G9). Every adapter passes `libs/event-log/contract.ts`.
 * Errors: `ConcurrencyConflict`; `CurfewError('ERR_UNAVAILABLE')` when the store cannot be reached or did not acknowledge,
 * the outcome then being unknown (an append with the same event ids settles it).
 */
export interface EventLog {
  /**
   * Appends to one or several streams, all or nothing, durable on return. Cost: one round trip, shared with concurrent
   * appends (group commit).
   * @returns the position of the last event of the append.
   */
  append(appends: readonly StreamAppend[]): Promise<Position>;
  /**
   * A durable write of nothing: once it returns, everything that was read before it is durable too, and the store that was
   * read is the primary. For an answer that rests on a read alone ("it was revoked before"). Cost: one round trip.
   */
  confirm(): Promise<void>;
  /** Oldest first, from revision `from` (0), at most `max` (all). On the primary. */
  readStream(stream: string, options?: { from?: number; max?: number }): Promise<StreamSlice>;
  /** Several whole streams in one round trip; a stream that does not exist is an empty slice of revision -1. */
  readStreams(streams: readonly string[]): Promise<ReadonlyMap<string, StreamSlice>>;
  /**
   * What several streams fold to, for the price of their newest events: a snapshot of that format and the events behind it.
   * On the primary, and as fresh as `readStreams`. A snapshot ahead of its stream (a log that lost its tail) is discarded with
   * an alarm. One round trip; a stream that does not exist is an empty tail of revision -1.
   */
  readTails(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamTail>>;
  /**
   * Keeps a snapshot for `readTails`, in the background: bounded, coalesced, lost without harm. An older one never replaces a
   * newer one of the same format.
   */
  keepSnapshot(snapshot: StreamSnapshot): void;
  /** The whole log in order, after `after`. Never skips a committed event, however commits interleave (G7). */
  readAll(after: Position, max: number): Promise<LogPage>;
  /**
   * Every event after `after`, in order, for ever: a full read each time, woken by appends and by polling. Reconnects by
   * itself. `caught-up` comes each time the end is reached. Ends when `signal` aborts.
   */
  subscribe(after: Position, signal: AbortSignal): AsyncIterable<SubscriptionMessage>;
}

export const EVENT_LOG = Symbol('EventLog');
