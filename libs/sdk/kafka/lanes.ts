import type { Heartbeat, LaneRecord } from '#contracts';
import type { Reading } from '../core/lease.js';
import { Lane, type Pin, type StoredAt, type StreamView, type Verdict } from './lane.js';

interface PendingRenewal {
  readonly barrier: bigint;
  readonly reading: Reading;
  readonly referenceTimeMs: number;
}

/** A renewal behind whose barrier every lane was read. */
export interface LaneRenewal {
  /** Taken before the renewal was sent. */
  readonly reading: Reading;
  /** Of the lane with the lowest barrier. */
  readonly heartbeat: Heartbeat;
}

const lowest = (one: Heartbeat, other: Heartbeat): Heartbeat =>
  BigInt(one.barrier) <= BigInt(other.barrier) ? one : other;

/** All lanes of one life of the topic, and the renewals that wait for them (DESIGN §6, "Over Kafka"). */
export class Lanes {
  readonly stream: StreamView;
  readonly #lanes: readonly Lane[];
  #pending: readonly PendingRenewal[] = [];

  /** @param pins one for each lane. */
  constructor(stream: StreamView, pins: readonly Pin[]) {
    this.stream = stream;
    this.#lanes = pins.map((pin) => this.laneOf(pin));
  }

  /** After the record was applied. */
  take(lane: number, at: StoredAt, record: LaneRecord): Verdict {
    return this.#lanes[lane]?.take(at, record) ?? 'foreign';
  }

  /**
   * `Renew` answered with this barrier.
   * @param reading taken before it was sent.
   * @param since renewals from before this monotonic time are of no use any more.
   * @param referenceTimeMs of the barrier. In one log a later barrier has no earlier time: a heartbeat with a higher number and
   *   an earlier time was written before the log was restored from a backup, and says nothing of what came then.
   */
  await(barrier: bigint, reading: Reading, since: number, referenceTimeMs = 0): void {
    const useful = this.#pending.filter((pending) => pending.reading.monotonic >= since);
    this.#pending = [...useful, { barrier, reading, referenceTimeMs }];
  }

  /** The renewal sent last of those that the lanes have caught up with; each is given once. */
  renewed(): LaneRenewal | undefined {
    const heartbeats = this.#lanes.flatMap((lane) => lane.heartbeat ?? []);
    // One knows nothing, or has a gap.
    if (!this.hasAll(heartbeats.length)) return undefined;
    const heartbeat = heartbeats.reduce(lowest);
    const oldest = Math.min(...heartbeats.map(({ referenceTimeMs }) => referenceTimeMs));
    const reached = this.#pending.filter(
      ({ barrier, referenceTimeMs }) => barrier <= BigInt(heartbeat.barrier) && referenceTimeMs <= oldest,
    );
    if (reached.length === 0) return undefined;
    const { reading } = reached.reduce((a, b) => (b.reading.monotonic >= a.reading.monotonic ? b : a));
    this.#pending = this.#pending.filter((pending) => pending.reading.monotonic > reading.monotonic);
    return { reading, heartbeat };
  }

  // The spec breaks these.

  protected laneOf(pin: Pin): Lane {
    return new Lane(this.stream, pin);
  }

  protected hasAll(lanes: number): boolean {
    return lanes === this.stream.lanes && lanes === this.#lanes.length;
  }
}
