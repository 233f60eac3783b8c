import type { AnsweredBarrier, FollowedRevocations, RevocationListener } from '../followed-revocations.js';
import { REPLAY_MARGIN_MS } from '../revocation-follower.js';
import { BatchComposer, type Batch, type BatchComposerOptions } from './batch-composer.js';
import type { LaneBatch, LanePublisher, OpenLanePublisher } from './lane-publisher.js';
import { TopicInspection, type FirstRecords, type TopicFault } from './topic-inspection.js';
import { Pause, within } from './within.js';

/** Around every produce: later than that, its outcome counts as unknown. */
const PRODUCE_DEADLINE_MS = 2_000;
const OPEN_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1_000;

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

export interface RelayOptions extends BatchComposerOptions {
  /** Of this leadership alone, and not started before `run`: it republishes what it reads first. */
  readonly follower: FollowedRevocations;
  /** Of each lane, the offset below which nothing new can be written; fewer where none is known. */
  readonly nextOffsets: readonly bigint[];
  readonly open: OpenLanePublisher;
  /** The first one, if it is open already. */
  readonly publisher?: LanePublisher;
  readonly heartbeatEveryMs: number;
  /** Without an acknowledgement for so long, another instance should try. 30,000 ms unless set. */
  readonly giveUpAfterMs?: number;
  readonly onFailure?: (error: unknown, failures: number) => void;
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

/**
 * One leadership: publishes what the follower reads, and heartbeats behind it (DESIGN §7). It is a place in the follower's
 * memory, as a Watch subscriber is, with one batch in flight and no queue of its own. A batch that failed or was late is sent
 * again, the very same, on a new publisher, until it is acknowledged: only then the next one is made, so that the sequences of
 * what was written are contiguous whatever else is written twice or late.
 */
export class Relay implements RevocationListener {
  private readonly composer: BatchComposer;
  private readonly pause: Pause;
  private readonly nextOffsets: bigint[];
  private readonly inspection: TopicInspection;
  /** Of the first publisher: nothing of this leadership is below. */
  private begins: readonly bigint[] | undefined;
  private firstRecords: FirstRecords | undefined;
  private readonly counts = { revocations: 0, heartbeats: 0, failures: 0 };
  private place: number;
  private unacknowledged: Batch | undefined;
  private publisher: LanePublisher | undefined;
  private failuresInARow = 0;
  private acknowledgedAt: number;
  private heartbeatAt: number | undefined;
  private ended: RelayEnd | undefined;
  /** Changes when a heartbeat is acknowledged. */
  checkpoint: RelayCheckpoint | undefined;

  constructor(private readonly options: RelayOptions) {
    const { term, follower, timers } = options;
    this.composer = this.composerOf(options);
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
    this.composer.barrierAnswered(barrier);
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
  private compose(): Batch | undefined {
    if (this.place < this.options.follower.memory.begin) this.end('fell-behind');
    return this.ended === undefined ? this.composer.compose(this.place) : undefined;
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

  // The property overrides these, to see that it would find what they broke.

  protected composerOf(options: RelayOptions): BatchComposer {
    return new BatchComposer(options);
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
    const since = this.composer.now()! - this.options.maxAccessTtl - REPLAY_MARGIN_MS;
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
