import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCluster } from './chaos-cluster.js';
import type { ChaosNode } from './chaos-node.js';
import type { Load } from './load.js';
import type { NodeReport } from './processes/node-messages.js';

const LOOK_EVERY_MS = 100;

export interface Recovery {
  readonly tookMs: number;
  /** The node that was back last. */
  readonly slowest: string;
  /** Nodes that do not decide from their memory, or refuse a session that lives. Empty: all is well. */
  readonly lost: readonly string[];
}

/** A stopped process would never answer. */
const ask = (node: ChaosNode, withinMs: number): Promise<NodeReport | undefined> =>
  Promise.race([node.ask(), sleep(withinMs, undefined, { ref: false })]);

/**
 * Awaits that every node is back at its cache by itself: between two looks it had a lease, accepted sessions and asked the
 * service nothing.
 * @param withinMs then the others count as lost
 */
export async function recover(cluster: ChaosCluster, load: Load, withinMs: number): Promise<Recovery> {
  const begun = performance.now();
  const left = (): number => withinMs - (performance.now() - begun);
  const login = await Promise.race([load.create('canary'), sleep(withinMs, undefined, { ref: false })]);
  let slowest = '';
  if (login === undefined) return { tookMs: withinMs, slowest, lost: ['the service: it makes no session'] };
  const waiting = new Set(cluster.nodes);
  const before = new Map<ChaosNode, NodeReport>();
  for (const node of cluster.nodes) node.tell([[login.sid, login.accessToken]]);
  while (waiting.size > 0 && left() > 0) {
    await Promise.all(
      [...waiting].map(async (node) => {
        const report = await ask(node, left());
        const last = before.get(node);
        if (report === undefined) return;
        before.set(node, report);
        if (last !== undefined && decidesAlone(last, report)) {
          waiting.delete(node);
          slowest = node.name;
        }
      }),
    );
    if (waiting.size > 0) await sleep(LOOK_EVERY_MS);
  }
  void load.revoke(login.sid);
  const lost = [...waiting].map((node) => `${node.name} (${describe(before.get(node))})`);
  return { tookMs: performance.now() - begun, slowest, lost };
}

/** Not by its hits: a small cache has none while more sessions than it holds are asked about in turn. */
const decidesAlone = (last: NodeReport, report: NodeReport): boolean =>
  last.fresh &&
  report.fresh &&
  report.counts.accepted > last.counts.accepted &&
  report.introspections === last.introspections &&
  report.counts.stale === last.counts.stale;

function describe(report: NodeReport | undefined): string {
  if (report === undefined) return 'does not answer';
  const { fresh, hits, introspections, counts } = report;
  return `${fresh ? 'fresh' : 'no lease'}, ${hits} hits, ${introspections} introspections, ${counts.stale} stale`;
}
