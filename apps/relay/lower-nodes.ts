import type { StartStopwatch, Stopwatch } from '#application';
import type { NodeIntroduction, ReportingNode, UpstreamFollower } from '#revocation-bus';
import { MAX_BOUND_MS, type NodeReception } from '#watch-door';

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
  private told: number;

  /** @param bound of the relay itself, ms */
  constructor(
    private readonly follower: Pick<UpstreamFollower, 'listen' | 'reconnect'>,
    bound: number,
    private readonly startStopwatch: StartStopwatch,
  ) {
    this.told = bound;
    follower.listen({
      revoked: () => undefined,
      barrierAnswered: ({ cursor, n }) => {
        this.newest = Number(n);
        if (!this.answers.has(cursor)) this.answers.set(cursor, this.newest);
        if (this.answers.size > MAX_ANSWERS) this.answers.delete(this.answers.keys().next().value!);
      },
    });
  }

  /**
   * The bound to tell upstream, ms: once the relay falls silent, no node behind it accepts for longer. Its own, or the longest
   * there is since a node with a longer one has come.
   */
  get bound(): number {
    return this.told;
  }

  /** A node that does not tell its bound has the longest. */
  introduce({ boundMs: given }: NodeIntroduction): ReportingNode {
    const boundMs = given || MAX_BOUND_MS;
    const node: LowerNode = { applied: 0, heardFor: this.startStopwatch(), boundMs };
    this.nodes.add(node);
    if (boundMs > this.told) {
      this.told = MAX_BOUND_MS;
      // Whoever waits is answered by the new stream: nobody gets a lease before the upstream knows.
      this.follower.reconnect();
    }
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
