import {
  encodeLaneRecord,
  laneKey,
  type EncodedRecord,
  type Heartbeat,
  type LanePlace,
  type PublishedRevocation,
} from '#contracts';
import { laneOf } from './lane-of.js';
import type { LaneBatch } from './lane-publisher.js';

/** What the records of one leadership say of themselves. */
export interface Term {
  readonly streamId: string;
  readonly lanes: number;
  readonly incarnation: number;
}

/** Gives each record its lane and its sequence, once and for all: a batch that is sent again is the same batch. */
export class LaneWriter {
  private readonly sequences: number[];
  private lanes: EncodedRecord[][];
  /** Of the batch being written, about. */
  bytes = 0;
  records = 0;

  constructor(
    private readonly term: Term,
    private readonly source: string,
  ) {
    this.sequences = Array<number>(term.lanes).fill(0);
    this.lanes = this.empty();
  }

  revocation(published: PublishedRevocation, timestamp: number): void {
    const lane = laneOf(laneKey(published.revocation), this.term.lanes);
    this.put(
      lane,
      encodeLaneRecord(
        this.place(lane),
        { kind: 'revocation', published },
        { lane, source: this.source, timestamp },
      ),
    );
  }

  /** On every lane, behind what was written before. */
  heartbeat(heartbeat: Heartbeat, timestamp: number): void {
    for (let lane = 0; lane < this.term.lanes; lane++) {
      const at = { lane, source: this.source, timestamp };
      this.put(lane, encodeLaneRecord(this.place(lane), { kind: 'heartbeat', heartbeat }, at));
    }
  }

  /** The batch written so far; the next one begins. */
  take(): readonly LaneBatch[] {
    const batch = this.lanes
      .map((records, lane) => ({ lane, records }))
      .filter(({ records }) => records.length > 0);
    this.lanes = this.empty();
    this.bytes = 0;
    this.records = 0;
    return batch;
  }

  private place(lane: number): LanePlace {
    const sequence = (this.sequences[lane] ?? 0) + 1;
    this.sequences[lane] = sequence;
    return { ...this.term, sequence };
  }

  private put(lane: number, record: EncodedRecord): void {
    this.lanes[lane]?.push(record);
    this.bytes += record.value.length + RECORD_OVERHEAD;
    this.records++;
  }

  private empty(): EncodedRecord[][] {
    return Array.from({ length: this.term.lanes }, () => []);
  }
}

/** Headers and key. */
const RECORD_OVERHEAD = 512;
