import type { Heartbeat, LaneRecord } from '#contracts';
import type { Reading } from '../core/lease.js';
import { Lane, type Pin, type StreamView, type Verdict } from './lane.js';

interface PendingRenewal {
  readonly barrier: bigint;
  readonly reading: Reading;
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
  take(lane: number, offset: bigint, record: LaneRecord): Verdict {
    return this.#lanes[lane]?.take(offset, record) ?? 'foreign';
  }

  /**
   * `Renew` answered with this barrier.
   * @param reading taken before it was sent.
   * @param since renewals from before this monotonic time are of no use any more.
   */
  await(barrier: bigint, reading: Reading, since: number): void {
    const useful = this.#pending.filter((pending) => pending.reading.monotonic >= since);
    this.#pending = [...useful, { barrier, reading }];
  }

  /** The renewal sent last of those that the lanes have caught up with; each is given once. */
  renewed(): LaneRenewal | undefined {
    const heartbeat = this.#reached();
    if (heartbeat === undefined) return undefined;
    const reached = this.#pending.filter(({ barrier }) => barrier <= BigInt(heartbeat.barrier));
    if (reached.length === 0) return undefined;
    const { reading } = reached.reduce((a, b) => (b.reading.monotonic >= a.reading.monotonic ? b : a));
    this.#pending = this.#pending.filter((pending) => pending.reading.monotonic > reading.monotonic);
    return { reading, heartbeat };
  }

  /** The least that any lane knows; undefined while one knows nothing, or has a gap. */
  #reached(): Heartbeat | undefined {
    const heartbeats = this.#lanes.flatMap((lane) => lane.heartbeat ?? []);
    return this.hasAll(heartbeats.length) ? heartbeats.reduce(lowest) : undefined;
  }

  // The spec breaks these.

  protected laneOf(pin: Pin): Lane {
    return new Lane(this.stream, pin);
  }

  protected hasAll(lanes: number): boolean {
    return lanes === this.stream.lanes && lanes === this.#lanes.length;
  }
}
