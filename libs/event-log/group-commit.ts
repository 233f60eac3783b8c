import { CurfewError } from '#contracts';
import { batchShare } from './batch-share.js';
import { StreamOrder } from './stream-order.js';

export interface Batchable {
  readonly streams: readonly string[];
  /** Rough size on the wire. */
  readonly bytes: number;
}

/** A result for each member of a batch, in its order. */
export type Outcome<R> = { readonly value: R } | { readonly error: Error };

/** Writes one batch at a time. Never rejects. */
export type Lane<A, R> = (batch: readonly A[]) => Promise<readonly Outcome<R>[]>;

export interface GroupCommitLimits {
  readonly maxAppends: number;
  readonly maxBytes: number;
  /** Milliseconds an append may wait before it is sent; then it fails and nothing was written. */
  readonly maxWaitMs: number;
}

interface Waiting<A, R> {
  readonly append: A;
  readonly streams: readonly string[];
  readonly since: number;
  readonly settle: (outcome: Outcome<R>) => void;
}

/**
 * Coalesces concurrent appends into batches: while all lanes write, what arrives gathers and leaves together. Two appends to
 * one stream never share a batch and are never under way at once.
 */
export class GroupCommit<A extends Batchable, R> {
  private readonly order = new StreamOrder<Waiting<A, R>>();
  private readonly idle: Lane<A, R>[];
  private scheduled = false;

  constructor(
    lanes: readonly Lane<A, R>[],
    private readonly limits: GroupCommitLimits,
    private readonly monotonic: () => number = () => performance.now(),
  ) {
    this.idle = [...lanes];
  }

  append(append: A): Promise<R> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome<R>): void => {
        if ('value' in outcome) resolve(outcome.value);
        else reject(outcome.error);
      };
      this.order.add({ append, streams: append.streams, since: this.monotonic(), settle });
      this.schedule();
    });
  }

  /** Not at once: what the same turn of the event loop still brings shares the batch. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    for (let lane = this.idle.shift(); lane !== undefined; lane = this.idle.shift()) {
      const batch = this.nextBatch();
      if (batch.length === 0) {
        this.idle.unshift(lane);
        return;
      }
      void this.write(lane, batch);
    }
  }

  private nextBatch(): Waiting<A, R>[] {
    const { maxAppends, maxBytes, maxWaitMs } = this.limits;
    const share = batchShare(this.order.readyCount, maxAppends);
    const tooOld = this.monotonic() - maxWaitMs;
    for (;;) {
      let count = 0;
      let bytes = 0;
      const taken = this.order.take(({ append }) => {
        count += 1;
        bytes += append.bytes;
        return count === 1 || (count <= share && bytes <= maxBytes);
      });
      const batch = taken.filter(({ since }) => since >= tooOld);
      for (const late of taken) if (late.since < tooOld) this.finish(late, { error: waitedTooLong() });
      if (batch.length > 0 || taken.length === 0) return batch;
    }
  }

  private async write(lane: Lane<A, R>, batch: readonly Waiting<A, R>[]): Promise<void> {
    const outcomes = await lane(batch.map(({ append }) => append));
    batch.forEach((waiting, i) => this.finish(waiting, outcomes[i] ?? { error: new Error('no outcome') }));
    this.idle.push(lane);
    this.schedule();
  }

  private finish(waiting: Waiting<A, R>, outcome: Outcome<R>): void {
    waiting.settle(outcome);
    this.order.done(waiting);
  }
}

const waitedTooLong = (): CurfewError =>
  new CurfewError('ERR_UNAVAILABLE', { cause: new Error('the append waited too long to be sent') });
