import {
  concerns,
  type NodeReport,
  type NodeReports,
  type NodeReportStore,
  type RecentRevocation,
  type ReferenceClock,
} from '#application';
import { CurfewError } from '#contracts';
import type { RevocationCursors } from './followed-revocations.js';
import { LocalNode } from './local-node.js';
import { NewsRound } from './news-round.js';
import type { RevocationMemory } from './revocation-memory.js';
import type { TimerHandle, Timers } from './timers.js';

/** Reports that matter are written this often at most, for all nodes in one statement. */
const WRITE_EVERY_MS = 250;
/** That a node is still there is written this often. */
const ALIVE_EVERY_MS = 2_500;
/** A node that has not been heard from for so long is at another instance, or gone. */
const FORGET_AFTER_MS = 120_000;
const PRUNE_EVERY_MS = 600_000;
/** While somebody waits, other instances' reports are read this often at most. */
const READ_EVERY_MS = 100;
/** Reports from before this concern no revocation in the memory: it, and the longest silence that means anything. */
const SILENCE_MS = 63_000;
/** Memory and rows: node ids come from the nodes. So many are told apart under the keys of the same tenants. */
const MOST_NODES = 10_000;
/** Stands for the others: it has applied nothing and its bound is the longest, so no receipt calls complete what is not. */
const OTHERS = { nodeId: 'others (too many nodes)', boundMs: 0 } as const;
/** Longer ones come from no store of ours: some 800 transactions at once. */
const MAX_APPLIED_CURSOR = 8_192;

export interface NodeRegistryOptions {
  readonly memory: RevocationMemory;
  readonly cursors: RevocationCursors;
  readonly clock: Pick<ReferenceClock, 'now'>;
  readonly timers: Timers;
  readonly store: NodeReportStore;
  /** How long a revocation is remembered, milliseconds. */
  readonly windowMs: number;
  /** Reports could not be written: nodes at this instance will be called outstanding, then bounded. */
  readonly onAlarm?: (error: unknown) => void;
}

export type NodeIntroduction = Pick<NodeReport, 'nodeId' | 'tenants' | 'via' | 'boundMs'>;

export interface NodeRegistryStats {
  /** Nodes that were heard from here in the last two minutes. */
  readonly nodes: number;
  /** Revocations that somebody waits for at this instance. */
  readonly awaited: number;
  /** Writes of reports that failed; each is tried again. */
  readonly failures: number;
}

/** What a door holds of a node that reports through it. */
export interface ReportingNode {
  /** It was heard from. @param cursor what it has applied; absent: what it told before */
  heard(cursor?: string): void;
  /** Somebody waits for its report. */
  readonly isAwaited: boolean;
}

/**
 * The reports of an instance's nodes, and those of the other instances' from the store (DESIGN §7). Written: at most every
 * 250 ms what may change a receipt, that is a new cursor after a new revocation; every 2.5 s that a node is alive. So the
 * cost of a quiet fleet does not depend on how often it renews.
 */
export class NodeRegistry implements NodeReports {
  private readonly nodes = new Map<string, LocalNode>();
  /** How many of them are under the keys of the same tenants. */
  private readonly fleets = new Map<string, number>();
  /** Revocations that somebody waits for, with how many do. */
  private readonly hurried = new Map<RecentRevocation, number>();
  private readonly round: NewsRound;
  private writing = false;
  private timer: TimerHandle | undefined;
  private prunedAt = -Infinity;
  private looked: { readonly at: number; readonly reports: Promise<readonly NodeReport[]> } | undefined;
  private stopped = false;
  private failures = 0;

  constructor(private readonly options: NodeRegistryOptions) {
    this.round = new NewsRound(options.timers, READ_EVERY_MS);
  }

  /** A node says who it is. Of two with one name and one key, the one that reported last counts. */
  introduce(introduction: NodeIntroduction, cursor = ''): ReportingNode {
    const tenants = [...new Set(introduction.tenants)].sort();
    const fleet = JSON.stringify(tenants);
    const isOther =
      !this.nodes.has(keyOf({ ...introduction, tenants })) && (this.fleets.get(fleet) ?? 0) >= MOST_NODES;
    const report = { ...introduction, ...(isOther ? OTHERS : {}), tenants };
    const key = keyOf(report);
    const node = (): LocalNode => this.nodeAt(key, fleet);
    const heard = (told?: string): void => {
      this.heard(node(), { ...report, cursor: isOther ? '' : (this.known(told) ?? node().cursor) });
    };
    this.heard(node(), { ...report, cursor: isOther ? '' : (this.known(cursor) ?? '') });
    const isAwaited = (): boolean => !isOther && this.isAwaited(node());
    return {
      heard,
      get isAwaited() {
        return isAwaited();
      },
    };
  }

  /** A cursor of another store says nothing here. */
  private known(cursor: string | undefined): string | undefined {
    const isKnown =
      cursor !== undefined && cursor.length <= MAX_APPLIED_CURSOR && this.options.cursors.isCursor(cursor);
    return isKnown ? cursor : undefined;
  }

  private nodeAt(key: string, fleet: string): LocalNode {
    const known = this.nodes.get(key);
    if (known) return known;
    const node = new LocalNode(fleet);
    this.nodes.set(key, node);
    this.fleets.set(fleet, (this.fleets.get(fleet) ?? 0) + 1);
    return node;
  }

  private forget(key: string, { fleet }: LocalNode): void {
    this.nodes.delete(key);
    const left = (this.fleets.get(fleet) ?? 1) - 1;
    if (left > 0) this.fleets.set(fleet, left);
    else this.fleets.delete(fleet);
  }

  stats(): NodeRegistryStats {
    return { nodes: this.nodes.size, awaited: this.hurried.size, failures: this.failures };
  }

  shows(cursor: string, mark: string): boolean {
    return this.options.cursors.isCursor(cursor) && this.options.cursors.shows(cursor, mark);
  }

  async all(): Promise<readonly NodeReport[]> {
    const merged = new Map<string, NodeReport>();
    for (const report of await this.look()) merged.set(keyOf(report), report);
    const now = this.options.timers.monotonic();
    for (const [key, { report, heardAt }] of this.nodes) {
      const stored = merged.get(key);
      if (report && (!stored || stored.reportedAt <= report.reportedAt))
        merged.set(key, { ...report, silentForMs: now - heardAt });
    }
    return [...merged.values()];
  }

  news(ms: number): Promise<void> {
    // Whoever waits for news in a loop must not turn in it.
    if (this.stopped)
      return Promise.reject(new CurfewError('ERR_UNAVAILABLE', { detail: 'this instance stops' }));
    return this.round.next(ms);
  }

  hurry(revocation: RecentRevocation): () => void {
    this.hurried.set(revocation, (this.hurried.get(revocation) ?? 0) + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.hurried.get(revocation) ?? 1) - 1;
      if (left > 0) this.hurried.set(revocation, left);
      else this.hurried.delete(revocation);
    };
  }

  /** Writes what is left and ends every wait. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== undefined) this.options.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.round.stop();
    await this.write();
  }

  private heard(node: LocalNode, report: Omit<NodeReport, 'reportedAt'>): void {
    const { clock, timers, memory } = this.options;
    let reportedAt: number;
    try {
      reportedAt = clock.now();
    } catch {
      // Nobody can tell the time: no barrier is answered either, so the node gets no lease to report.
      return;
    }
    const progress = node.report?.cursor !== report.cursor;
    node.heard({ ...report, reportedAt }, timers.monotonic(), memory.end);
    if (progress && this.hurried.size > 0) this.round.soon();
    if (!this.stopped) this.timer ??= timers.setTimeout(() => void this.turn(), WRITE_EVERY_MS);
  }

  private isAwaited({ report }: LocalNode): boolean {
    if (this.hurried.size === 0 || !report) return false;
    return [...this.hurried.keys()].some(
      ({ message, mark }) => concerns(message, report) && !this.shows(report.cursor, mark),
    );
  }

  private async turn(): Promise<void> {
    this.timer = undefined;
    await this.write();
    const { timers } = this.options;
    const now = timers.monotonic();
    for (const [key, node] of this.nodes) if (now - node.heardAt > FORGET_AFTER_MS) this.forget(key, node);
    if (this.nodes.size > 0 && !this.stopped)
      this.timer ??= timers.setTimeout(() => void this.turn(), WRITE_EVERY_MS);
  }

  private async write(): Promise<void> {
    if (this.writing) return;
    this.writing = true;
    const { timers, store, memory, onAlarm } = this.options;
    const now = timers.monotonic();
    const due = [...this.nodes.values()].filter((node) => node.isDue(now, ALIVE_EVERY_MS));
    const newest = memory.end > memory.begin ? memory.at(memory.end - 1).mark : undefined;
    const taken = due.map((node) => node.take(now, memory.end, this.hasAll(newest)));
    try {
      if (due.length > 0) await store.write(taken.map(({ report }) => report));
      await this.prune(now);
    } catch (error) {
      this.failures += 1;
      for (const { giveBack } of taken) giveBack();
      onAlarm?.(error);
    } finally {
      this.writing = false;
    }
  }

  /** Whether a cursor shows the newest revocation; nodes share cursors, so each is asked once. */
  private hasAll(newest: string | undefined): (cursor: string) => boolean {
    const known = new Map<string, boolean>();
    return (cursor) => {
      let all = known.get(cursor);
      if (all === undefined) known.set(cursor, (all = newest === undefined || this.shows(cursor, newest)));
      return all;
    };
  }

  private async prune(now: number): Promise<void> {
    if (now - this.prunedAt < PRUNE_EVERY_MS || this.stopped) return;
    this.prunedAt = now;
    const { store, clock, windowMs } = this.options;
    await store.prune(clock.now() - windowMs - SILENCE_MS - PRUNE_EVERY_MS);
  }

  /** One look at the store for all that ask at about the same time. */
  private look(): Promise<readonly NodeReport[]> {
    const { timers, store, clock, windowMs } = this.options;
    const now = timers.monotonic();
    if (this.looked && now - this.looked.at < this.round.paceMs) return this.looked.reports;
    const reports = Promise.resolve().then(() => store.read(clock.now() - windowMs - SILENCE_MS));
    const looked = { at: now, reports };
    this.looked = looked;
    reports.then(
      () => this.round.cost(timers.monotonic() - now),
      () => {
        if (this.looked === looked) this.looked = undefined;
      },
    );
    return reports;
  }
}

/** A node's name: unique among the keys of the same tenants. */
const keyOf = ({ tenants, nodeId }: Pick<NodeReport, 'tenants' | 'nodeId'>): string =>
  JSON.stringify([tenants, nodeId]);
