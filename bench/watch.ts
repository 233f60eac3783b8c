import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '#contracts';
import { built } from '#local-cluster';
import type { IssuedSession } from '#sdk';
import { startBenchService, type BenchService } from './environment.js';
import { latency, type BenchResult, type Figure } from './measure.js';
import { cpuShares, postmasterPid, residentMiB } from './process-usage.js';
import type { Order, Report, Revoked } from './watch-nodes.js';

const NODES = 1_000;
const SETTLE_MS = 10_000;
const IDLE_SECONDS = 30;
const ROUNDS = 200;
const RECEIPTS = 20;

/**
 * What 1,000 idle nodes cost one instance: the built service on its embedded PostgreSQL, and the nodes as bare Watch streams
 * (a connection each) in one more process. All of them share the machine's cores; CPU is that of each process alone.
 */
export async function watch(): Promise<BenchResult> {
  const service = await startBenchService({ env: { CURFEW_SWEEP_INTERVAL: '0' } });
  const nodes = new NodesProcess(service);
  try {
    await sleep(SETTLE_MS);
    const pids = { service: service.child.pid, postgres: postmasterPid(service.dataFolder) };
    const alone = { cpu: await cpuShares(pids, IDLE_SECONDS), rss: residentMiB(pids.service) };

    await nodes.order({ do: 'connect', count: NODES });
    await sleep(SETTLE_MS);
    await nodes.order({ do: 'forget' });
    const before = await counts(service);
    const begun = performance.now();
    const cpu = await cpuShares({ ...pids, nodes: nodes.pid }, IDLE_SECONDS);
    const after = await counts(service);
    const perSecond = (name: string): number =>
      ((after[name]! - before[name]!) * 1_000) / (performance.now() - begun);
    const { roundTrips, ended } = (await nodes.order({ do: 'report' })) as Report;
    if (ended > 0) throw new Error(`${ended} streams ended`);
    const rss = residentMiB(pids.service);
    const percent = (name: string, value: number, note?: string): Figure => ({
      name,
      value,
      unit: '% of a core',
      ...(note === undefined ? {} : { note }),
    });
    return {
      bench: 'watch',
      figures: [
        percent('CPU of the service, no node', alone.cpu.service),
        percent(`CPU of the service, ${NODES} idle nodes`, cpu.service, 'target ≤ 10, with PostgreSQL'),
        percent('CPU of PostgreSQL, no node', alone.cpu.postgres),
        percent(`CPU of PostgreSQL, ${NODES} idle nodes`, cpu.postgres),
        percent(`CPU of the process that holds the ${NODES} nodes`, cpu.nodes),
        { name: 'memory (RSS) of the service, no node', value: alone.rss, unit: 'MiB' },
        { name: `memory (RSS) of the service, ${NODES} nodes`, value: rss, unit: 'MiB' },
        {
          name: 'barriers',
          value: perSecond('curfew_revocation_barriers_total'),
          unit: '/s',
          note: 'target ≤ 20',
        },
        { name: 'renewals answered', value: perSecond('curfew_watch_answered_total'), unit: '/s' },
        ...latency('round trip of a renewal', roundTrips),
        ...(await revocations(service, nodes)),
        ...latency(`revoke returned → receipt of ${NODES} nodes complete`, await receipts(service)),
      ],
    };
  } finally {
    nodes.stop();
    await service.stop();
  }
}

async function revocations(service: BenchService, nodes: NodesProcess): Promise<Figure[]> {
  const sids: string[] = [];
  while (sids.length < ROUNDS) sids.push((await create(service)).sid);
  const { afterAnswer, afterCall, firstToLast } = (await nodes.order({ do: 'revoke', sids })) as Revoked;
  return [
    ...latency(`revoke returned → last of ${NODES} nodes has it`, afterAnswer),
    ...latency(`revoke called → last of ${NODES} nodes has it`, afterCall),
    ...latency(`first → last of ${NODES} nodes`, firstToLast),
  ];
}

/** Milliseconds from a revoke's answer to a receipt on which no node is outstanding. */
async function receipts(service: BenchService): Promise<number[]> {
  const { http, key } = service;
  const headers = { authorization: `Bearer ${key}` };
  const times: number[] = [];
  while (times.length < RECEIPTS) {
    const { sid } = await create(service);
    await fetch(`${http}/v1/sessions/${sid}`, { method: 'DELETE', headers });
    const returned = performance.now();
    const answer = await fetch(`${http}/v1/revocations/${sid}?wait=all&timeout=60000`, { headers });
    const receipt = (await answer.json()) as Receipt;
    times.push(performance.now() - returned);
    if (!receipt.complete || receipt.nodes.length !== NODES) throw new Error('not every node has reported');
    // Not in step with renewals.
    await sleep(500 * Math.random());
  }
  return times;
}

async function create({ http, key }: BenchService): Promise<IssuedSession> {
  const answer = await fetch(`${http}/v1/sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sub: 'bench' }),
  });
  return (await answer.json()) as IssuedSession;
}

/** Values of the metrics without labels. */
async function counts({ http, key }: BenchService): Promise<Record<string, number>> {
  const answer = await fetch(`${http}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  const lines = (await answer.text()).split('\n').filter((line) => /^\w+ /.test(line));
  return Object.fromEntries(
    lines.map((line) => line.split(' ') as [string, string]).map(([name, value]) => [name, Number(value)]),
  );
}

/** The process that holds the nodes; it takes one order at a time. */
class NodesProcess {
  private readonly child: ChildProcess;

  constructor({ http, grpc, key }: BenchService) {
    this.child = spawn(process.execPath, [built('bench/watch-nodes.js')], {
      env: { ...process.env, BENCH_SETTINGS: JSON.stringify({ http, grpc, key }) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  async order(order: Order): Promise<object> {
    this.child.send(order);
    for (;;) {
      const [message] = (await once(this.child, 'message')) as [{ done?: object }];
      if (message.done) return message.done;
    }
  }

  stop(): void {
    this.child.kill();
  }
}
