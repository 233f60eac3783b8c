import type { Timers } from '../timers.js';
import type { LanePublisher } from './lane-publisher.js';
import { within } from './within.js';

const EVERY_MS = 5_000;
const DEADLINE_MS = 2_000;

/** The topic is another one, or has other lanes; or records are gone that a node needs which begins now. */
export type TopicFault = 'topic-anew' | 'truncated';

/** What a leadership knows of its own records. */
export interface OwnRecords {
  /** Of each lane, an offset below which it wrote nothing. */
  readonly begins: readonly bigint[];
  /** Its first acknowledged batch with a record on every lane; undefined before that. */
  readonly first: FirstRecords | undefined;
}

export interface FirstRecords {
  readonly timestamp: number;
  /** Of each lane. */
  readonly offsets: readonly bigint[];
}

/**
 * Looks at the topic of a leadership every 5 s: is it still the one, and could a node begin to read there? A node trusts a lane
 * from a record in front of the window on, or from sequence 1 of an incarnation (docs/reference/revocation-stream.md). Where both
 * are gone, only a new incarnation, which republishes the window, helps nodes that start. Cost: five short requests a look.
 */
export class TopicInspection {
  private at: number;

  constructor(
    private readonly timers: Timers,
    private readonly lanes: number,
  ) {
    this.at = timers.monotonic();
  }

  /**
   * @param since timestamp at which a node's window begins
   * @throws what the publisher throws, or that it did not answer in 2 s
   */
  async look(publisher: LanePublisher, own: OwnRecords, since: number): Promise<TopicFault | undefined> {
    const now = this.timers.monotonic();
    if (now - this.at < EVERY_MS) return undefined;
    this.at = now;
    return within(this.timers, DEADLINE_MS, this.inspect(publisher, own, since));
  }

  private async inspect(
    publisher: LanePublisher,
    { begins, first }: OwnRecords,
    since: number,
  ): Promise<TopicFault | undefined> {
    const [lanes, windows, from, behind] = await Promise.all([
      publisher.countLanes(),
      publisher.offsetsFrom(since),
      first && publisher.offsetsFrom(first.timestamp),
      first && publisher.offsetsFrom(first.timestamp + 1),
    ]);
    if (lanes !== this.lanes) return 'topic-anew';
    // Asked afterwards, as nodes do: what is in front of the window then was there before.
    const lows = await publisher.beginnings();
    const isAnother = first?.offsets.some((own, lane) => {
      // What is later than our first record was written behind where we began.
      if (behind![lane]! <= begins[lane]!) return true;
      // Unless that record is gone, what stands in its place has its timestamp.
      return lows[lane]! <= own && (from![lane]! > own || behind![lane] === own);
    });
    if (isAnother) return 'topic-anew';
    const isCutOff = lows.some((low, lane) => low > begins[lane]! && low >= windows[lane]!);
    return isCutOff ? 'truncated' : undefined;
  }
}
