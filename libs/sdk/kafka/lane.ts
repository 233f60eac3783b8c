import type { Heartbeat, LanePlace, LaneRecord } from '#contracts';

/** One life of the topic, as `Renew` names it. */
export interface StreamView {
  readonly streamId: string;
  readonly lanes: number;
}

/** Where the reading of a lane begins. */
export interface Pin {
  /**
   * In front of the window, so that what is read first is older than all that is needed. At the window where the lane begins
   * there: it may have been cut off, or made anew, and no one knows what stood in front.
   */
  readonly offset: bigint;
  /** Of the first record that is needed. */
  readonly window: bigint;
  /** Timestamp at which the window begins, milliseconds of reference time. */
  readonly since: number;
}

/** Where a record was found. */
export interface StoredAt {
  readonly offset: bigint;
  /** That its relay gave it, milliseconds of reference time: no revocation in it was committed later. */
  readonly timestamp: number;
}

/**
 * What a record was for its lane. `next`: it continues it, and its heartbeat counts. `duplicate`, `older` (of a lower
 * incarnation) and `foreign` (of another stream, or one with other lanes) change nothing. `gap`: something is missing in front of
 * it, and nothing counts from here on. Revocations are applied whatever the verdict.
 */
export type Verdict = 'next' | 'duplicate' | 'older' | 'foreign' | 'gap';

/**
 * Notices every loss on one lane (DESIGN §7). Records count only while they are contiguous from one in front of the window, or
 * from sequence 1 of an incarnation that is higher than any seen, whose relay has republished the window behind it.
 */
export class Lane {
  readonly #stream: StreamView;
  readonly #pin: Pin;
  #incarnation = 0;
  #sequence = 0;
  #contiguous = false;
  #heartbeat: Heartbeat | undefined;

  constructor(stream: StreamView, pin: Pin) {
    this.#stream = stream;
    this.#pin = pin;
  }

  /** The last one that counts; undefined while there is none, and from a gap on. */
  get heartbeat(): Heartbeat | undefined {
    return this.#heartbeat;
  }

  /** To be called with every record in the order of arrival, after it was applied. */
  take(at: StoredAt, { place, content }: LaneRecord): Verdict {
    if (!this.isOurs(place)) return 'foreign';
    const { incarnation, sequence } = place;
    const verdict = this.#judge(at, place);
    if (verdict === 'next') {
      if (incarnation !== this.#incarnation) this.#heartbeat = undefined;
      this.#contiguous = true;
      this.#incarnation = incarnation;
      this.#sequence = sequence;
      if (content.kind === 'heartbeat') this.#heartbeat = content.heartbeat;
    } else if (verdict === 'gap') {
      this.#contiguous = false;
      this.#incarnation = incarnation;
      this.#heartbeat = undefined;
    }
    return verdict;
  }

  #judge(at: StoredAt, place: LanePlace): Verdict {
    const { incarnation, sequence } = place;
    if (this.isOlder(incarnation, this.#incarnation)) return 'older';
    if (incarnation !== this.#incarnation) return this.begins(at, place) ? 'next' : 'gap';
    if (this.#contiguous && sequence <= this.#sequence) return 'duplicate';
    const follows = this.#contiguous && this.follows(sequence, this.#sequence);
    return follows || this.isInFront(at) ? 'next' : 'gap';
  }

  // The rules, one by one: the spec breaks each of them to see that it is needed.

  protected isOurs({ streamId, lanes }: LanePlace): boolean {
    return streamId === this.#stream.streamId && lanes === this.#stream.lanes;
  }

  protected isOlder(incarnation: number, current: number): boolean {
    return incarnation < current;
  }

  protected follows(sequence: number, last: number): boolean {
    return sequence === last + 1;
  }

  /**
   * What is missing in front of a record that is not needed itself is not needed either. The offset alone does not say it: once the
   * topic was made anew, the first records of the new one stand at low offsets.
   */
  protected isInFront({ offset, timestamp }: StoredAt): boolean {
    return offset < this.#pin.window && timestamp < this.#pin.since;
  }

  /** Whether the first record of an incarnation may count. */
  protected begins(at: StoredAt, { sequence }: LanePlace): boolean {
    return sequence === 1 || this.isInFront(at);
  }
}
