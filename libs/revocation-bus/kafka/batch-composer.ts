import type { Heartbeat, PublishedRevocation, RevocationMessage } from '#contracts';
import type { AnsweredBarrier, FollowedRevocations } from '../followed-revocations.js';
import { REPLAY_MARGIN_MS } from '../revocation-follower.js';
import type { Timers } from '../timers.js';
import type { LaneBatch } from './lane-publisher.js';
import { LaneWriter, type Term } from './lane-writer.js';

const MAX_REVOCATIONS = 500;
/** Well below a broker's limit for one batch (1 MiB). */
const MAX_BYTES = 256 * 1024;
/** The first must not starve, so above it the last is replaced. */
const MAX_ANSWERS = 4;

export interface BatchComposerOptions {
  readonly follower: Pick<FollowedRevocations, 'memory'>;
  readonly timers: Timers;
  readonly term: Term;
  readonly maxAccessTtl: number;
  /** `ce_source` of the records. */
  readonly source: string;
  /** In one batch at most. 500 unless set. */
  readonly maxRevocations?: number;
}

interface PendingBarrier extends AnsweredBarrier {
  /** To be published once every revocation below this number is. */
  readonly behind: number;
}

export interface Batch {
  readonly lanes: readonly LaneBatch[];
  /** The place behind it in the follower's memory. */
  readonly next: number;
  readonly revocations: number;
  /** Of its records: reference time, milliseconds. */
  readonly timestamp: number;
  /** Of the heartbeats at its end. */
  readonly barrier: PendingBarrier | undefined;
}

const revocationIdOf = (revocation: RevocationMessage): string =>
  revocation.scope === 'session' ? revocation.sid : revocation.revocationId;

/** Makes the batches of one leadership: revocations in their order, and heartbeats behind all that their barriers showed. */
export class BatchComposer {
  private readonly writer: LaneWriter;
  private answers: PendingBarrier[] = [];
  private time: { readonly referenceTime: number; readonly at: number } | undefined;
  private told = 0;

  constructor(private readonly options: BatchComposerOptions) {
    this.writer = new LaneWriter(options.term, options.source);
  }

  barrierAnswered(barrier: AnsweredBarrier): void {
    this.time = { referenceTime: barrier.referenceTime, at: this.options.timers.monotonic() };
    if (this.answers.length === MAX_ANSWERS) this.answers.pop();
    this.answers.push({ ...barrier, behind: this.options.follower.memory.end });
  }

  /**
   * What has sequences now must be written before the next one is made.
   * @param place in the follower's memory; not in front of it
   * @returns undefined when there is nothing to publish
   */
  compose(place: number): Batch | undefined {
    const { maxRevocations = MAX_REVOCATIONS, follower } = this.options;
    const timestamp = this.now();
    // Before the first barrier there is no reference time.
    if (timestamp === undefined) return undefined;
    let next = place;
    while (next < follower.memory.end && next - place < maxRevocations && this.writer.bytes < MAX_BYTES)
      this.writer.revocation(this.published(next++, timestamp), timestamp);
    const barrier = this.answerBehind(next);
    if (barrier !== undefined) this.writer.heartbeat(this.heartbeat(barrier), timestamp);
    if (this.writer.records === 0) return undefined;
    return { lanes: this.writer.take(), next, revocations: next - place, timestamp, barrier };
  }

  /** Reference time, milliseconds, carried on from the last barrier: it never goes back. Undefined before the first. */
  now(): number | undefined {
    if (this.time === undefined) return undefined;
    const { referenceTime, at } = this.time;
    this.told = Math.max(this.told, Math.floor(referenceTime + this.options.timers.monotonic() - at));
    return this.told;
  }

  /** The newest barrier whose revocations are all below `next`. Older ones say less: they go. */
  protected answerBehind(next: number): PendingBarrier | undefined {
    const last = this.answers.findLastIndex(({ behind }) => behind <= next);
    const [barrier] = last < 0 ? [] : this.answers.splice(0, last + 1).slice(-1);
    return barrier;
  }

  private published(number: number, timestamp: number): PublishedRevocation {
    const { message, visibleBy } = this.options.follower.memory.at(number);
    return {
      revocation: message.revocation,
      revocationId: revocationIdOf(message.revocation),
      appliesUntil: Math.floor(visibleBy ?? timestamp) + this.options.maxAccessTtl + REPLAY_MARGIN_MS,
    };
  }

  private heartbeat({ n, cursor, referenceTime }: PendingBarrier): Heartbeat {
    return {
      barrier: n.toString(),
      cursor,
      referenceTimeMs: Math.floor(referenceTime),
      maxAccessTtlMs: this.options.maxAccessTtl,
    };
  }
}
