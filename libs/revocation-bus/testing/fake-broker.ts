import { decodeLaneRecord, type EncodedRecord, type LaneRecord } from '#contracts';
import type { LaneBatch, LanePublisher } from '../kafka/lane-publisher.js';
import type { VirtualTimers } from './virtual-timers.js';

/** What happens to one produce: of each lane separately where it is written late or not at all. */
export type ProduceFate = 'ok' | 'refused' | 'unacknowledged' | 'written-late' | 'half' | 'hangs';

/** A topic as Kafka keeps one: lanes that are appended to, by whoever still writes. */
export class FakeBroker {
  lanes: LaneRecord[][];
  /** By lane: the first offset that is still there. Records in front of it stay in `lanes` for the test to see. */
  lows: number[] = [];
  /** By lane: the records' timestamps. */
  private times: number[][] = [];
  reachable = true;
  /** Fates of the next produces; then all go well. */
  readonly fates: ProduceFate[] = [];
  latencyMs = 1;
  lateMs = 500;
  opened = 0;
  produces = 0;

  constructor(
    readonly timers: VirtualTimers,
    lanes = 2,
  ) {
    this.lanes = Array.from({ length: lanes }, () => []);
  }

  /** Puts old records of others on every lane. */
  occupy(count: number): void {
    const place = { streamId: 'another', lanes: this.lanes.length, incarnation: 1, sequence: 1 };
    for (const [lane, records] of this.lanes.entries()) {
      records.push(...Array<LaneRecord>(count).fill({ place, content: { kind: 'unknown', type: 'old' } }));
      (this.times[lane] ??= []).push(...Array<number>(count).fill(0));
    }
  }

  /** What is there now goes; offsets go on. */
  truncate(): void {
    this.lows = this.lanes.map(({ length }) => length);
  }

  makeAnew(lanes = this.lanes.length): void {
    this.lows = [];
    this.times = [];
    this.lanes = Array.from({ length: lanes }, () => []);
  }

  readonly open = async (): Promise<LanePublisher> => {
    await this.timers.sleep(this.latencyMs);
    if (!this.reachable) throw new Error('cannot connect');
    this.opened++;
    return {
      ends: this.lanes.map(({ length }) => BigInt(length)),
      publish: (batches) => this.produce(batches),
      countLanes: () => Promise.resolve(this.lanes.length),
      beginnings: () => Promise.resolve(this.lanes.map((_, lane) => BigInt(this.lows[lane] ?? 0))),
      offsetsFrom: (timestamp) => Promise.resolve(this.lanes.map((_, lane) => this.from(lane, timestamp))),
      close: () => undefined,
    };
  };

  private async produce(batches: readonly LaneBatch[]): Promise<ReadonlyMap<number, bigint>> {
    const fate = this.reachable ? (this.fates.shift() ?? 'ok') : 'refused';
    this.produces++;
    await this.timers.sleep(this.latencyMs);
    if (fate === 'hangs') return new Promise(() => undefined);
    if (fate === 'refused') throw new Error('refused');
    if (fate === 'written-late') {
      // Not before the broker could have taken the next attempt.
      this.timers.setTimeout(() => this.write(batches), this.lateMs);
      throw new Error('no answer');
    }
    const offsets = this.write(fate === 'half' ? batches.slice(0, Math.ceil(batches.length / 2)) : batches);
    if (fate !== 'ok') throw new Error('no answer');
    return offsets;
  }

  private write(batches: readonly LaneBatch[]): Map<number, bigint> {
    return new Map(batches.map(({ lane, records }) => [lane, this.append(lane, records)] as const));
  }

  private append(lane: number, records: readonly EncodedRecord[]): bigint {
    const log = (this.lanes[lane] ??= []);
    const first = BigInt(log.length);
    (this.times[lane] ??= []).push(...records.map(({ timestamp }) => Number(timestamp)));
    log.push(...records.map(({ headers, value }) => decodeLaneRecord(headers, value)));
    return first;
  }

  private from(lane: number, timestamp: number): bigint {
    const low = this.lows[lane] ?? 0;
    const found = this.times[lane]?.findIndex((time, offset) => offset >= low && time >= timestamp) ?? -1;
    return BigInt(found < 0 ? this.lanes[lane]!.length : found);
  }
}
