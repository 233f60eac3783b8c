import type { Heartbeat, PublishedRevocation, RevocationMessage } from '#contracts';
import type { AnsweredBarrier, FollowedRevocations, RevocationListener } from '../followed-revocations.js';
import { REPLAY_MARGIN_MS } from '../revocation-follower.js';
import type { Timers } from '../timers.js';
import type { LaneBatch, LanePublisher, OpenLanePublisher } from './lane-publisher.js';
import { LaneWriter, type Term } from './lane-writer.js';
import { TopicInspection, type FirstRecords, type TopicFault } from './topic-inspection.js';
import { Pause, within } from './within.js';

/** Around every produce: later than that, its outcome counts as unknown. */
const PRODUCE_DEADLINE_MS = 2_000;
const OPEN_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1_000;
const MAX_REVOCATIONS = 500;
/** Well below a broker's limit for one batch (1 MiB). */
const MAX_BYTES = 256 * 1024;
/** The first must not starve, so above it the last is replaced. */
const MAX_ANSWERS = 4;

/**
 * Why a leadership ended: told to stop; the topic is not the one it began with (offsets went back, other lanes), so that a new
 * life of it begins; records are gone, so that the window has to be published again; the place fell out of the follower's
 * memory; the broker did not acknowledge for too long.
 */
export type RelayEnd = 'stopped' | 'fell-behind' | 'unreachable' | TopicFault;

/** What is certainly on the topic. */
export interface RelayCheckpoint {
  /** Every revocation that it shows was acknowledged. */
  readonly cursor: string;
  /** Of each lane, the offset after the last acknowledged record. */
  readonly nextOffsets: readonly bigint[];
}

export interface RelayOptions {
  /** Of this leadership alone, and not started before `run`: it republishes what it reads first. */
  readonly follower: FollowedRevocations;
  readonly timers: Timers;
  readonly term: Term;
  /** Of each lane, the offset below which nothing new can be written; fewer where none is known. */
  readonly nextOffsets: readonly bigint[];
  readonly open: OpenLanePublisher;
  /** The first one, if it is open already. */
  readonly publisher?: LanePublisher;
  readonly maxAccessTtl: number;
  readonly heartbeatEveryMs: number;
  /** `ce_source` of the records. */
  readonly source: string;
  /** Without an acknowledgement for so long, another instance should try. 30,000 ms unless set. */
  readonly giveUpAfterMs?: number;
  /** In one batch at most. 500 unless set. */
  readonly maxRevocations?: number;
  readonly onFailure?: (error: unknown, failures: number) => void;
}

interface PendingBarrier extends AnsweredBarrier {
  /** To be published once every revocation below this number is. */
  readonly behind: number;
}

interface Batch {
  readonly lanes: readonly LaneBatch[];
  /** The place behind it. */
  readonly next: number;
  readonly revocations: number;
  /** Of its records. */
  readonly timestamp: number;
  readonly barrier: PendingBarrier | undefined;
}

export interface RelayStats {
  readonly revocations: number;
  readonly heartbeats: number;
  readonly failures: number;
  /** Revocations read and not acknowledged. */
  readonly behind: number;
  /** Since the last acknowledged heartbeat; undefined before the first. */
  readonly heartbeatAgeMs: number | undefined;
}

const revocationIdOf = (revocation: RevocationMessage): string =>
  revocation.scope === 'session' ? revocation.sid : revocation.revocationId;

/**
 * One leadership: publishes what the follower reads, and heartbeats behind it (DESIGN §7). It is a place in the follower's
 * memory, as a Watch subscriber is, with one batch in flight and no queue of its own. A batch that failed or was late is sent
 * again, the very same, on a new publisher, until it is acknowledged: only then the next one is made, so that the sequences of
 * what was written are contiguous whatever else is written twice or late.
 */
export class Relay implements RevocationListener {
  private readonly writer: LaneWriter;
  private readonly pause: Pause;
  private readonly nextOffsets: bigint[];
  private readonly inspection: TopicInspection;
  /** Of the first publisher: nothing of this leadership is below. */
  private begins: readonly bigint[] | undefined;
  private firstRecords: FirstRecords | undefined;
  private readonly counts = { revocations: 0, heartbeats: 0, failures: 0 };
  private place: number;
  private answers: PendingBarrier[] = [];
  private unacknowledged: Batch | undefined;
  private publisher: LanePublisher | undefined;
  private failuresInARow = 0;
  private acknowledgedAt: number;
  private heartbeatAt: number | undefined;
  private time: { readonly referenceTime: number; readonly at: number } | undefined;
  private told = 0;
  private ended: RelayEnd | undefined;
  /** Changes when a heartbeat is acknowledged. */
  checkpoint: RelayCheckpoint | undefined;

  constructor(private readonly options: RelayOptions) {
    const { term, follower, timers } = options;
    this.writer = new LaneWriter(term, options.source);
    this.pause = new Pause(timers);
    this.publisher = options.publisher;
    this.nextOffsets = Array.from({ length: term.lanes }, (_, lane) => options.nextOffsets[lane] ?? 0n);
    this.place = follower.memory.begin;
    this.acknowledgedAt = timers.monotonic();
    this.inspection = new TopicInspection(timers, term.lanes);
  }

  /** Ends with the leadership. Never rejects. What it throws at the listener's calls would fail the follower: nothing. */
  async run(): Promise<RelayEnd> {
    const unlisten = this.options.follower.listen(this);
    const stopBeating = this.beat();
    try {
      while (this.ended === undefined) {
        this.unacknowledged ??= this.compose();
        if (this.unacknowledged === undefined) await this.pause.wait();
        else await this.attempt(this.unacknowledged);
      }
      return this.ended;
    } finally {
      stopBeating();
      unlisten();
      this.publisher?.close();
    }
  }

  /** Begins no produce any more. */
  stop(): void {
    this.end('stopped');
  }

  stats(): RelayStats {
    const { timers, follower } = this.options;
    return {
      ...this.counts,
      behind: follower.memory.end - this.place,
      heartbeatAgeMs: this.heartbeatAt === undefined ? undefined : timers.monotonic() - this.heartbeatAt,
    };
  }

  revoked(): void {
    this.pause.end();
  }

  barrierAnswered(barrier: AnsweredBarrier): void {
    this.time = { referenceTime: barrier.referenceTime, at: this.options.timers.monotonic() };
    if (this.answers.length === MAX_ANSWERS) this.answers.pop();
    this.answers.push({ ...barrier, behind: this.options.follower.memory.end });
    this.pause.end();
  }

  /** Asks for barriers, unless what they would bring could not be published. */
  private beat(): () => void {
    const { timers, heartbeatEveryMs, follower } = this.options;
    let handle = timers.setTimeout(again, heartbeatEveryMs);
    const ask = (): void => {
      if (this.failuresInARow === 0) follower.requestBarrier();
    };
    function again(): void {
      ask();
      handle = timers.setTimeout(again, heartbeatEveryMs);
    }
    return () => timers.clearTimeout(handle);
  }

  /** Undefined when there is nothing to publish. */
  protected compose(): Batch | undefined {
    const { maxRevocations = MAX_REVOCATIONS } = this.options;
    const { memory } = this.options.follower;
    if (this.place < memory.begin) this.end('fell-behind');
    // Before the first barrier there is no reference time.
    if (this.time === undefined || this.ended !== undefined) return undefined;
    const timestamp = this.now(this.time);
    let next = this.place;
    while (next < memory.end && next - this.place < maxRevocations && this.writer.bytes < MAX_BYTES)
      this.writer.revocation(this.published(next++, timestamp), timestamp);
    const barrier = this.answerBehind(next);
    if (barrier !== undefined) this.writer.heartbeat(this.heartbeat(barrier), timestamp);
    if (this.writer.records === 0) return undefined;
    return { lanes: this.writer.take(), next, revocations: next - this.place, timestamp, barrier };
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

  /** Reference time, carried on from the last barrier: it never goes back in a lane. */
  private now({ referenceTime, at }: NonNullable<typeof this.time>): number {
    this.told = Math.max(this.told, Math.floor(referenceTime + this.options.timers.monotonic() - at));
    return this.told;
  }

  private async attempt(batch: Batch): Promise<void> {
    const { timers } = this.options;
    try {
      const publisher = (this.publisher ??= await this.opened());
      await this.inspect(publisher);
      if (this.ended !== undefined) return;
      this.acknowledged(
        batch,
        await within(timers, PRODUCE_DEADLINE_MS, publisher.publish(this.toSend(batch))),
      );
    } catch (error) {
      await this.failed(error);
    }
  }

  /** What is sent of a batch, each time that it is. */
  protected toSend(batch: Batch): readonly LaneBatch[] {
    return batch.lanes;
  }

  private async opened(): Promise<LanePublisher> {
    const opening = this.options.open();
    try {
      const publisher = await within(this.options.timers, OPEN_DEADLINE_MS, opening);
      const { ends } = publisher;
      const isAnew =
        ends.length !== this.nextOffsets.length || ends.some((end, lane) => end < this.nextOffsets[lane]!);
      if (isAnew) this.end('topic-anew');
      return publisher;
    } catch (error) {
      opening.then(
        (late) => late.close(),
        () => undefined,
      );
      throw error;
    }
  }

  private async inspect(publisher: LanePublisher): Promise<void> {
    this.begins ??= publisher.ends;
    const { begins, firstRecords: first } = this;
    const since = this.now(this.time!) - this.options.maxAccessTtl - REPLAY_MARGIN_MS;
    const fault = await this.inspection.look(publisher, { begins, first }, since);
    if (fault !== undefined) this.end(fault);
  }

  private acknowledged(batch: Batch, offsets: ReadonlyMap<number, bigint>): void {
    this.unacknowledged = undefined;
    this.failuresInARow = 0;
    this.acknowledgedAt = this.options.timers.monotonic();
    this.place = batch.next;
    this.counts.revocations += batch.revocations;
    for (const { lane, records } of batch.lanes) {
      const first = offsets.get(lane);
      if (first === undefined) continue;
      if (first < this.nextOffsets[lane]!) this.end('topic-anew');
      this.nextOffsets[lane] = first + BigInt(records.length);
    }
    if (batch.barrier === undefined || this.ended !== undefined) return;
    this.counts.heartbeats++;
    this.heartbeatAt = this.acknowledgedAt;
    // A heartbeat has a record on every lane.
    this.firstRecords ??= {
      timestamp: batch.timestamp,
      offsets: this.nextOffsets.map((next, lane) => offsets.get(lane) ?? next),
    };
    this.checkpoint = { cursor: batch.barrier.cursor, nextOffsets: [...this.nextOffsets] };
  }

  private async failed(error: unknown): Promise<void> {
    const { timers, giveUpAfterMs = 30_000, onFailure } = this.options;
    this.publisher?.close();
    this.publisher = undefined;
    if (this.ended !== undefined) return;
    this.counts.failures++;
    onFailure?.(error, ++this.failuresInARow);
    if (timers.monotonic() - this.acknowledgedAt > giveUpAfterMs) this.end('unreachable');
    else await this.pause.sleep(Math.min(FIRST_RETRY_MS * 2 ** (this.failuresInARow - 1), LAST_RETRY_MS));
  }

  private end(reason: RelayEnd): void {
    this.ended ??= reason;
    this.pause.close();
  }
}
