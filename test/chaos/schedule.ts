import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCluster } from './chaos-cluster.js';
import { PARTS, type Fault, type Need } from './fault.js';
import type { Load } from './load.js';
import { recover } from './recovery.js';
import { say, VERBOSE } from './verbose.js';

export interface ScheduleOptions {
  readonly cluster: ChaosCluster;
  readonly load: Load;
  readonly random: () => number;
  readonly faults: readonly Fault[];
  readonly available: ReadonlySet<Need>;
  /** How long new faults are begun, milliseconds. */
  readonly lastsMs: number;
  /** Faults last as long as the issue says, a minute for some. */
  readonly long: boolean;
  readonly onPlayed?: (line: string) => void;
}

export interface FaultRecord {
  readonly name: string;
  times: number;
  /** From the heal until every node was back at its cache. */
  worstRecoveryMs: number;
}

export interface Played {
  readonly faults: readonly FaultRecord[];
  readonly skipped: readonly { readonly name: string; readonly missing: readonly Need[] }[];
  /** What went wrong beside G2: nodes that did not come back, faults that could not be played. */
  readonly failures: readonly string[];
}

/** The longest bound of the nodes is 2 s: a fault outlasts it, or nearly. */
const SHORTEST_MS = 1_800;
const SPREAD_MS = 2_600;
const TWO_AT_ONCE = 0.3;
/** DESIGN asks for no figure; what takes longer than this needs a person. */
export const RECOVERY_WITHIN_MS = 90_000;

/** Plays faults in a seeded order, every one before any comes again, with load and a look at the recovery in between. */
export class Schedule {
  private readonly records = new Map<string, FaultRecord>();
  private readonly failures: string[] = [];
  private readonly playable: readonly Fault[];
  private bag: Fault[] = [];

  constructor(private readonly options: ScheduleOptions) {
    const { faults } = options;
    this.playable = faults.filter((fault) => this.missing(fault).length === 0);
    for (const { name } of this.playable) this.records.set(name, { name, times: 0, worstRecoveryMs: 0 });
  }

  async play(): Promise<Played> {
    const { lastsMs, random, faults } = this.options;
    const end = performance.now() + lastsMs;
    while (performance.now() < end) {
      await sleep(300 + random() * 700);
      await this.playOne(this.draw());
    }
    const skipped = faults
      .map((fault) => ({ name: fault.name, missing: this.missing(fault) }))
      .filter(({ missing }) => missing.length > 0);
    return { faults: [...this.records.values()], skipped, failures: this.failures };
  }

  private missing({ needs = [] }: Fault): readonly Need[] {
    return needs.filter((need) => !this.options.available.has(need));
  }

  /** One, or two of different parts. */
  private draw(): readonly Fault[] {
    const first = this.take(() => true);
    if (first === undefined) throw new Error('there is no fault to play');
    const second =
      this.options.random() < TWO_AT_ONCE
        ? this.take(({ breaks }) => !breaks.some((part) => first.breaks.includes(part)))
        : undefined;
    return second === undefined ? [first] : [first, second];
  }

  private take(fits: (fault: Fault) => boolean): Fault | undefined {
    if (this.bag.length === 0) {
      this.bag = this.playable
        .map((fault) => ({ fault, at: this.options.random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ fault }) => fault);
    }
    const index = this.bag.findIndex(fits);
    return index < 0 ? undefined : this.bag.splice(index, 1)[0];
  }

  private async playOne(faults: readonly Fault[]): Promise<void> {
    const { cluster, load, random, long, onPlayed } = this.options;
    const names = faults.map(({ name }) => name).join(' + ');
    const drawn = SHORTEST_MS + random() * SPREAD_MS;
    const holdMs = Math.max(drawn, ...faults.map(({ lasts }) => (long ? lasts?.long : lasts?.short) ?? 0));
    const heals: { readonly part: number; readonly heal: () => Promise<void> }[] = [];
    cluster.oracle.during = names;
    if (VERBOSE) say(`${names}: for ${holdMs.toFixed(0)} ms`);
    try {
      for (const fault of faults) {
        heals.push({
          part: PARTS.indexOf(fault.breaks[0]),
          heal: await fault.inject({ cluster, random, holdMs }),
        });
      }
      await sleep(holdMs);
    } catch (error) {
      this.failures.push(`${names}: ${String(error)}`);
    }
    for (const { heal } of heals.sort((a, b) => a.part - b.part)) {
      await heal().catch((error: unknown) => this.failures.push(`healing ${names}: ${String(error)}`));
    }
    cluster.oracle.during = `after ${names}`;
    if (VERBOSE) say(`${names}: healed`);
    const { tookMs, slowest, lost } = await recover(cluster, load, RECOVERY_WITHIN_MS);
    if (lost.length > 0) this.failures.push(`after ${names}: not back at their cache: ${lost.join(', ')}`);
    for (const { name } of faults) {
      const record = this.records.get(name);
      if (record === undefined) continue;
      record.times += 1;
      record.worstRecoveryMs = Math.max(record.worstRecoveryMs, Math.round(tookMs));
    }
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    onPlayed?.(`${names}: ${seconds(holdMs)}, back after ${seconds(tookMs)} (${slowest} last)`);
  }
}
