import type { StartStopwatch, Stopwatch } from '#application';
import type { FollowedRevocations, NodeIntroduction, ReportingNode } from '#revocation-bus';
import type { NodeReception } from '#watch-door';

/** For a node that does not tell its bound: the longest that the SDK accepts. */
const LONGEST_BOUND_MS = 60_000;
const MAX_ANSWERS = 256;

interface LowerNode {
  /** Number of our answered renewal that it has applied; 0: none. */
  applied: number;
  heardFor: Stopwatch;
  readonly boundMs: number;
}

/**
 * What the nodes behind a relay have applied, as one report: the upstream takes the relay for a node that has applied what
 * *every* node behind it has. One that is silent for longer than its bound refuses by itself and holds up no receipt.
 */
export class LowerNodes implements NodeReception {
  private readonly nodes = new Set<LowerNode>();
  /** Which answered renewal of ours brought a cursor. */
  private readonly answers = new Map<string, number>();
  private newest = 0;

  constructor(
    follower: Pick<FollowedRevocations, 'listen'>,
    private readonly startStopwatch: StartStopwatch,
  ) {
    follower.listen({
      revoked: () => undefined,
      barrierAnswered: ({ cursor, n }) => {
        this.newest = Number(n);
        if (!this.answers.has(cursor)) this.answers.set(cursor, this.newest);
        if (this.answers.size > MAX_ANSWERS) this.answers.delete(this.answers.keys().next().value!);
      },
    });
  }

  introduce({ boundMs }: NodeIntroduction): ReportingNode {
    const node: LowerNode = {
      applied: 0,
      heardFor: this.startStopwatch(),
      boundMs: boundMs || LONGEST_BOUND_MS,
    };
    this.nodes.add(node);
    return {
      isAwaited: false,
      heard: (cursor) => {
        this.nodes.add(node);
        node.heardFor = this.startStopwatch();
        if (cursor !== undefined) node.applied = Math.max(node.applied, this.answers.get(cursor) ?? 0);
      },
    };
  }

  /** Number of the newest answered renewal of ours that every node behind us has applied; 0: none. */
  applied(): number {
    let lowest = this.newest;
    for (const node of this.nodes) {
      if (node.heardFor() > node.boundMs) this.nodes.delete(node);
      else lowest = Math.min(lowest, node.applied);
    }
    return lowest;
  }
}
