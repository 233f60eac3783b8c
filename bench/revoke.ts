import { createTopics, findKafka, startKafka, type KafkaCluster, type KafkaTopics } from '#local-cluster';
import type { Curfew } from '#sdk';
import { bareGrpcFanOut, bareKafkaFanOut } from './bare-transports.js';
import { startBenchService, type BenchService } from './environment.js';
import { latency, type BenchResult, type Figure } from './measure.js';
import { refusedByAll, startKafkaNode, startNode } from './nodes.js';

const TRIALS = 200;
const WARM_UP = 10;
const TARGET = 'target p50 ≤ 10, p99 ≤ 25';

/**
 * Revoke returned → the last of N nodes refuses, N = 1, 20, 200 over Watch and 1, 20 over Kafka, all nodes in this process, and
 * the bare transports beside them.
 */
export async function revoke(): Promise<BenchResult> {
  const figures = await overWatch();
  for (const count of [1, 20, 200])
    figures.push(
      ...latency(`bare grpc-js: first write → last of ${count} streams`, await bareGrpcFanOut(count)),
    );
  const kafka = await findKafka();
  if ('missing' in kafka) console.error(`not measured over Kafka: ${kafka.missing}`);
  else figures.push(...(await overKafka()));
  return { bench: 'revoke', figures };
}

async function overWatch(): Promise<Figure[]> {
  const service = await startBenchService();
  try {
    return await measured(service, 'Watch', [1, 20, 200], () => startNode(service));
  } finally {
    await service.stop();
  }
}

async function overKafka(): Promise<Figure[]> {
  const cluster = await startKafka({ onLine: (line) => console.error(`kafka: ${line}`) });
  try {
    const topics = await createTopics(cluster.brokers);
    return [...(await throughService(topics)), ...(await bare(cluster))];
  } finally {
    await cluster.stop();
  }
}

async function throughService(topics: KafkaTopics): Promise<Figure[]> {
  const service = await startBenchService({ env: topics.env });
  try {
    return await measured(service, 'Kafka', [1, 20], () => startKafkaNode(service, topics));
  } finally {
    await service.stop();
  }
}

async function bare(cluster: KafkaCluster): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of [1, 20])
    figures.push(
      ...latency(`bare kafkajs: send → last of ${count} handlers`, await bareKafkaFanOut(cluster, count)),
    );
  return figures;
}

async function measured(
  service: BenchService,
  way: 'Watch' | 'Kafka',
  counts: readonly number[],
  start: () => Promise<Curfew>,
): Promise<Figure[]> {
  // Of its own, so that what asks for the revocation is no node that is measured.
  const caller = await startNode(service);
  const nodes: Curfew[] = [];
  const figures: Figure[] = [];
  try {
    for (const count of counts) {
      while (nodes.length < count) nodes.push(await start());
      const { calls, times } = await trials(caller, nodes);
      const last = `revoke returned → last of ${count} nodes refuses, over ${way}`;
      figures.push(...latency(last, times, count === counts.at(-1) ? TARGET : undefined));
      figures.push(...latency(`the revoke call itself, ${count} nodes over ${way}`, calls));
    }
  } finally {
    await Promise.all([caller, ...nodes].map((node) => node.close()));
  }
  return figures;
}

async function trials(caller: Curfew, nodes: readonly Curfew[]) {
  const times: number[] = [];
  const calls: number[] = [];
  for (let trial = 0; trial < TRIALS + WARM_UP; trial += 1) {
    const { call, last } = await oneTrial(caller, nodes);
    if (trial < WARM_UP) continue;
    times.push(last);
    calls.push(call);
  }
  return { calls, times };
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
