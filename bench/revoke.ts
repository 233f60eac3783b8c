import type { Curfew } from '#sdk';
import { startBenchService } from './environment.js';
import { latency, type BenchResult } from './measure.js';
import { refusedByAll, startNode } from './nodes.js';

const TRIALS = 200;
const WARM_UP = 10;

/** Revoke returned → last of N watching nodes refuses, N = 1, 20, 200, all nodes in this process. */
export async function revoke(): Promise<BenchResult> {
  const service = await startBenchService();
  const nodes: Curfew[] = [];
  const figures = [];
  try {
    for (const count of [1, 20, 200]) {
      while (nodes.length < count) nodes.push(await startNode(service));
      const caller = nodes[0] as Curfew;
      const times: number[] = [];
      const calls: number[] = [];
      for (let trial = 0; trial < TRIALS + WARM_UP; trial += 1) {
        const { call, last } = await oneTrial(caller, nodes);
        if (trial < WARM_UP) continue;
        times.push(last);
        calls.push(call);
      }
      figures.push(
        ...latency(
          `revoke returned → last of ${count} nodes refuses`,
          times,
          count === 200 ? 'target p50 ≤ 10, p99 ≤ 25' : undefined,
        ),
        ...latency(`the revoke call itself, ${count} nodes watching`, calls),
      );
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
    await service.stop();
  }
  return { bench: 'revoke', figures };
}

async function oneTrial(caller: Curfew, nodes: readonly Curfew[]): Promise<{ call: number; last: number }> {
  const { sid, accessToken = '' } = await caller.sessions.create({ sub: 'bench' });
  await Promise.all(nodes.map((node) => node.verify(accessToken)));
  const called = performance.now();
  await caller.sessions.revoke(sid);
  const returned = performance.now();
  await refusedByAll(nodes, accessToken);
  return { call: returned - called, last: performance.now() - returned };
}
