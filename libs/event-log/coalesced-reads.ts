import { batchShare } from './batch-share.js';

interface Waiting<V> {
  readonly resolve: (value: V | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export interface CoalescedReadsLimits {
  /** Loads under way at once. */
  readonly maxLoads: number;
  readonly maxKeys: number;
}

/**
 * Makes one load of the reads that arrive together: while all loads are under way, what arrives gathers. A read never joins a
 * load that has begun, so it sees everything that was written before it was asked for.
 */
export class CoalescedReads<V> {
  private gathering = new Map<string, Waiting<V>[]>();
  private loads = 0;
  private scheduled = false;

  constructor(
    private readonly load: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
    private readonly limits: CoalescedReadsLimits,
  ) {}

  /** Undefined if the load did not bring the key. Rejects as the load does. */
  read(key: string): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      const waiting = this.gathering.get(key);
      if (waiting) waiting.push({ resolve, reject });
      else this.gathering.set(key, [{ resolve, reject }]);
      this.schedule();
    });
  }

  /** Not at once: what the same turn of the event loop still brings shares the load. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.gathering.size > 0 && this.loads < this.limits.maxLoads) void this.run(this.take());
    });
  }

  private take(): ReadonlyMap<string, readonly Waiting<V>[]> {
    const share = batchShare(this.gathering.size, this.limits.maxKeys);
    if (this.gathering.size <= share) {
      const all = this.gathering;
      this.gathering = new Map();
      return all;
    }
    const some = new Map([...this.gathering].slice(0, share));
    for (const key of some.keys()) this.gathering.delete(key);
    return some;
  }

  private async run(batch: ReadonlyMap<string, readonly Waiting<V>[]>): Promise<void> {
    this.loads += 1;
    try {
      const values = await this.load([...batch.keys()]);
      for (const [key, readers] of batch) for (const { resolve } of readers) resolve(values.get(key));
    } catch (error) {
      for (const readers of batch.values()) for (const { reject } of readers) reject(error);
    }
    this.loads -= 1;
    if (this.gathering.size > 0) this.schedule();
  }
}
