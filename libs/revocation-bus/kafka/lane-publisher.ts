import type { EncodedRecord } from '#contracts';

/** What goes to one lane in one produce, in order. */
export interface LaneBatch {
  readonly lane: number;
  readonly records: readonly EncodedRecord[];
}

/** One producer on the topic of the revocations, already connected. What failed once is closed, never used again. */
export interface LanePublisher {
  /** Offset after the last record of each lane when this publisher was opened; as many as there are lanes. */
  readonly ends: readonly bigint[];
  /**
   * Appends to the lanes, acknowledged by all replicas in sync.
   * @returns the offset of each batch's first record; absent where the broker did not tell
   * Rejects when some lane did not acknowledge: all, some or none may have been written, now or later.
   */
  publish(batches: readonly LaneBatch[]): Promise<ReadonlyMap<number, bigint>>;
  /** How many lanes the topic has now. */
  countLanes(): Promise<number>;
  /** Of each lane, the offset of the first record that is there; where there is none, of the next. */
  beginnings(): Promise<readonly bigint[]>;
  /** Of each lane, the offset of the first record with that timestamp or a later one; where there is none, of the next. */
  offsetsFrom(timestamp: number): Promise<readonly bigint[]>;
  /** Does not wait. What is under way may still be written. */
  close(): void;
}

/** Connects. Rejects when the topic is not there or cannot be reached. */
export type OpenLanePublisher = () => Promise<LanePublisher>;
