import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomFrom, SEED } from '../support/cluster.js';
import { ChaosCluster, TTL_MS, type NodePlan } from './chaos-cluster.js';
import { lostOf } from './durability.js';
import type { Need } from './fault.js';
import { FAULTS } from './faults/index.js';
import { Load } from './load.js';
import { FAKETIME } from './movable-clock.js';
import { whyNoBrokers } from './own-brokers.js';
import { Schedule } from './schedule.js';
import { summarise, tell } from './summary.js';
import { say, VERBOSE } from './verbose.js';

/** `CHAOS_SECONDS=1800 npm run test:chaos` plays for half an hour, with faults as long as the issue says. */
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 45);
const LONG = SECONDS >= 600;
/** `CHAOS_FAULTS='node paused,service killed'` plays these alone. */
const chosen = process.env['CHAOS_FAULTS']?.split(',');

jest.setTimeout((SECONDS + 300) * 1_000);

/** Bounds from a half of the default to the default: a fault of two seconds outlasts some. */
const NODES: readonly NodePlan[] = [
  { name: 'watch-1', bound: 2_000 },
  { name: 'watch-2', bound: 1_000, movable: true },
  { name: 'watch-3', bound: 1_000, onStale: 'reject', maxSessions: 32 },
];
const OVER_KAFKA: readonly NodePlan[] = [
  { name: 'kafka-1', bound: 2_000, kafka: 'watch', movable: true },
  { name: 'kafka-2', bound: 2_000, kafka: 'watch' },
  { name: 'kafka-3', bound: 2_000, kafka: 'none' },
];
/** `CHAOS_BROKERS=3` for a cluster of three; a fault breaks one of them. */
const BROKERS = process.env['CHAOS_BROKERS'] === '3' ? 3 : 1;

const withKafka = whyNoBrokers === undefined;

describe('G2: whatever fails', () => {
  let cluster: ChaosCluster;
  beforeAll(async () => {
    cluster = await ChaosCluster.start(
      withKafka ? { nodes: [...NODES, ...OVER_KAFKA], brokers: BROKERS } : { nodes: NODES },
    );
  }, 700_000);
  afterAll(() => (cluster as ChaosCluster | undefined)?.stop());

  it(`G2: no node accepts a session later than B after its revoke returned, and all come back (SEED=${SEED}, ${SECONDS} s)`, async () => {
    const { oracle, nodes, urls, apiKey } = cluster;
    const doors = { urls, apiKey };
    const load = new Load({ doors, nodes, oracle, random: randomFrom(SEED + 1), users: 32, ttlMs: TTL_MS });
    const available = new Set<Need>();
    if (FAKETIME !== undefined) available.add('faketime');
    if (withKafka) available.add('Kafka');
    const schedule = new Schedule({
      cluster,
      load,
      random: randomFrom(SEED),
      faults: FAULTS.filter(({ name }) => chosen?.includes(name) ?? true),
      available,
      lastsMs: SECONDS * 1_000,
      long: LONG,
      ...(LONG || VERBOSE ? { onPlayed: say } : {}),
    });
    load.start();
    const played = await schedule.play();
    await load.stop();
    // The last revocations have their time too.
    await sleep(Math.max(...nodes.map(({ bound }) => bound)) + 500);
    await Promise.all(nodes.map((node) => node.ask()));
    const result = { what: 'chaos', seed: SEED, seconds: SECONDS, lost: await lostOf(load) };
    const summary = summarise(result, cluster, load, played);
    tell(summary);
    expect(summary).toMatchObject({ violations: [], falseRefusals: [], lost: [], failures: [] });
    expect(summary.verified.failed).toBe(0);
    expect(summary.verified.hits).toBeGreaterThan(1_000);
  });
});
