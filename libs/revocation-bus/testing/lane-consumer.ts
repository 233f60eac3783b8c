import type { LanePlace, LaneRecord } from '#contracts';

interface Reached {
  readonly incarnation: number;
  readonly sequence: number;
  readonly barrier: bigint;
  readonly isBroken: boolean;
}

const NOTHING: Reached = { incarnation: 0, sequence: 0, barrier: 0n, isBroken: false };

/** At the very beginning of a lane nothing but a first record can stand: else the topic was made anew under its relay. */
const follows = (last: Reached, { incarnation, sequence }: LanePlace, isPin: boolean): boolean =>
  isPin ||
  (incarnation > last.incarnation ? sequence === 1 : !last.isBroken && sequence === last.sequence + 1);

/**
 * The rule by which a node counts heartbeats (docs/adr/0017), written down as plainly as can be: to check the relay by, and
 * other consumers. Pinned where it begins to read.
 */
export class LaneConsumer {
  /** Session ids and ids of mass revocations. */
  readonly applied = new Set<string>();
  private readonly lanes = new Map<number, Reached>();

  /** @param lanes that it waits for
   *  @param topicLanes that the topic has */
  constructor(
    private readonly lanesRead: number,
    private readonly topicLanes = lanesRead,
  ) {}

  /** @param pin where this consumer began to read the lane */
  record(
    lane: number,
    { place, content }: LaneRecord,
    streamId: string,
    { offset, pin }: { offset: number; pin: number },
  ): void {
    if (content.kind === 'revocation') this.applied.add(content.published.revocationId);
    const last = this.lanes.get(lane) ?? NOTHING;
    const isNew = place.incarnation > last.incarnation;
    const isPin = offset === pin && pin > 0;
    if (!isNew && (place.incarnation < last.incarnation || place.sequence <= last.sequence)) return;
    const isContiguous = follows(last, place, isPin);
    const carried = isNew || !isContiguous ? 0n : last.barrier;
    const isOurs = place.streamId === streamId && place.lanes === this.topicLanes;
    const counts = isContiguous && isOurs && content.kind === 'heartbeat';
    this.lanes.set(lane, {
      incarnation: place.incarnation,
      sequence: isContiguous ? place.sequence : last.sequence,
      barrier: counts ? BigInt(content.heartbeat.barrier) : carried,
      isBroken: !isContiguous,
    });
  }

  /** The newest barrier that every lane has brought; 0 for none. */
  get barrier(): bigint {
    const barriers = Array.from({ length: this.lanesRead }, (_, lane) => this.lanes.get(lane)?.barrier ?? 0n);
    return barriers.reduce((least, barrier) => (barrier < least ? barrier : least));
  }
}
