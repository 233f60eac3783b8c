import { monotonicNow } from './processes/monotonic-now.js';
import type { NodeReport } from './processes/node-messages.js';

/** A node as the oracle sees it. */
export interface Suspect {
  readonly name: string;
  /** B, milliseconds. */
  readonly bound: number;
}

export interface Violation {
  readonly node: string;
  readonly sid: string;
  /** How long after the revoke had returned the verification began that accepted it. */
  readonly stalenessMs: number;
  readonly bound: number;
  /** What was broken then. */
  readonly during: string;
}

export interface FalseRefusal {
  readonly node: string;
  readonly sid: string;
  /** How long after its creation was acknowledged. */
  readonly ageMs: number;
  /** How long before the first attempt to end it; absent: there was none yet. */
  readonly beforeEndMs?: number;
  readonly during: string;
}

interface Watched {
  readonly createdAt: number;
  /** The first attempt to end it began: from here on a refusal is right. */
  endingSince?: number;
  /** An attempt has returned: from here on the bound counts. */
  endedAt?: number;
}

const lateKey = (node: Suspect, sid: string): string => `${node.name} ${sid}`;

/**
 * Knows when each revoke had returned and judges what the nodes did by G2. Times are `monotonicNow`, one clock for all
 * processes. It never errs to the worse: an acceptance counts from when its `verify` began, a revoke from when its answer was
 * in this process, and one without an answer not at all.
 */
export class Oracle {
  private readonly sessions = new Map<string, Watched>();
  private readonly late = new Map<string, Violation>();
  private readonly early = new Map<string, FalseRefusal>();
  private worst = -Infinity;
  /** Told with each finding. */
  during = 'nothing';

  /** @param ttlMs how long its token certainly lives: a later refusal may be for its age. */
  constructor(private readonly ttlMs: number) {}

  created(sid: string): void {
    this.sessions.set(sid, { createdAt: monotonicNow() });
  }

  ending(sids: readonly string[]): void {
    for (const sid of sids) {
      const session = this.sessions.get(sid);
      if (session) session.endingSince ??= monotonicNow();
    }
  }

  ended(sids: readonly string[]): void {
    for (const sid of sids) {
      const session = this.sessions.get(sid);
      if (session) session.endedAt ??= monotonicNow();
    }
  }

  forget(sids: readonly string[]): void {
    for (const sid of sids) this.sessions.delete(sid);
  }

  reported(node: Suspect, { accepted, refused }: Pick<NodeReport, 'accepted' | 'refused'>): void {
    for (const [sid, asked] of accepted) this.accepted(node, sid, asked);
    for (const [sid, answered] of refused) this.refused(node, sid, answered);
  }

  /** Each once, with the worst staleness. */
  get violations(): readonly Violation[] {
    return [...this.late.values()];
  }

  get falseRefusals(): readonly FalseRefusal[] {
    return [...this.early.values()];
  }

  /** The latest acceptance after a revoke had returned, milliseconds; 0 if there was none. */
  get worstStalenessMs(): number {
    return Math.max(this.worst, 0);
  }

  private accepted(node: Suspect, sid: string, asked: number): void {
    const { endedAt } = this.sessions.get(sid) ?? {};
    if (endedAt === undefined) return;
    const stalenessMs = asked - endedAt;
    this.worst = Math.max(this.worst, stalenessMs);
    if (stalenessMs <= node.bound) return;
    const key = lateKey(node, sid);
    const known = this.late.get(key);
    if (known !== undefined && known.stalenessMs >= stalenessMs) return;
    this.late.set(key, {
      node: node.name,
      sid,
      stalenessMs,
      bound: node.bound,
      during: known?.during ?? this.during,
    });
  }

  private refused(node: Suspect, sid: string, answered: number): void {
    const session = this.sessions.get(sid);
    if (session === undefined || answered > session.createdAt + this.ttlMs) return;
    if (session.endingSince !== undefined && answered >= session.endingSince) return;
    this.early.set(lateKey(node, sid), {
      node: node.name,
      sid,
      ageMs: Math.round(answered - session.createdAt),
      ...(session.endingSince === undefined ? {} : { beforeEndMs: session.endingSince - answered }),
      during: this.during,
    });
  }
}
