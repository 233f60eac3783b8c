import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, randomFrom, SEED } from '../support/cluster.js';
import { ChaosCluster, TTL_MS } from './chaos-cluster.js';
import { revocationIdIn } from './chaos-kafka.js';
import { lostOf } from './durability.js';
import { Load } from './load.js';
import { whyNoBrokers } from './own-brokers.js';
import { recover } from './recovery.js';
import { summarise, tell } from './summary.js';

/** `CHAOS_OUTAGE_SECONDS=300` is what the issue asks for. */
const SECONDS = Number(process.env['CHAOS_OUTAGE_SECONDS'] ?? 15);
/** What was revoked meanwhile is on the topic so soon after the broker serves again. */
const DRAINED_WITHIN_MS = 20_000;
const BACK_WITHIN_MS = 60_000;
/** The service may grow by this much while nothing can be published. */
const MAX_GROWTH_MB = 100;

jest.setTimeout((SECONDS + 300) * 1_000);

const name = 'G2, G9: Kafka down under load';

(whyNoBrokers === undefined ? describe : describe.skip)(
  whyNoBrokers === undefined ? name : `${name} (skipped: ${whyNoBrokers})`,
  () => {
    let cluster: ChaosCluster;
    let stopReading = (): Promise<void> => Promise.resolve();
    beforeAll(async () => {
      cluster = await ChaosCluster.start({
        brokers: 1,
        nodes: [
          { name: 'watch-1', bound: 2_000 },
          { name: 'kafka-1', bound: 2_000, kafka: 'watch' },
          { name: 'kafka-2', bound: 1_000, kafka: 'none' },
        ],
      });
    }, 700_000);
    afterAll(async () => {
      await stopReading();
      await (cluster as ChaosCluster | undefined)?.stop();
    });

    const residentMb = (): number[] => cluster.instances.map(({ pid }) => rssOf(pid));

    it(`G2, G9: no revoke fails, none is lost, and no session outlives its revocation by more than B (SEED=${SEED}, ${SECONDS} s)`, async () => {
      const { oracle, nodes, urls, apiKey, brokers } = cluster;
      const doors = { urls, apiKey };
      const load = new Load({
        doors,
        nodes,
        oracle,
        random: randomFrom(SEED),
        users: 24,
        ttlMs: TTL_MS,
        attemptMs: 10_000,
      });
      const published = new Set<string>();
      load.start();
      await sleep(3_000);
      const before = residentMb();

      oracle.during = 'the outage';
      await brokers.nodes[0]!.kill();
      const failedBefore = load.counts.failedRevokes;
      const revokedBefore = load.revocationIds.length;
      await sleep(SECONDS * 1_000);
      const after = residentMb();
      const failedRevokes = load.counts.failedRevokes - failedBefore;
      const inOutage = load.revocationIds.slice(revokedBefore);
      expect(inOutage.length).toBeGreaterThan(SECONDS);

      await brokers.nodes[0]!.restart();
      const restarted = performance.now();
      stopReading = await brokers.follow((record) => {
        const id = revocationIdIn(record);
        if (id !== undefined) published.add(id);
      });
      const missing = (ids: readonly string[]): string[] => ids.filter((id) => !published.has(id));
      const drained = eventually(() => missing(inOutage).length === 0, { within: DRAINED_WITHIN_MS });
      await drained.catch(() => undefined);
      expect({ of: inOutage.length, missing: missing(inOutage) }).toEqual({
        of: inOutage.length,
        missing: [],
      });
      const drainedMs = Math.round(performance.now() - restarted);
      oracle.during = 'after the outage';
      const { tookMs, lost: notBack } = await recover(cluster, load, BACK_WITHIN_MS);
      await load.stop();
      await eventually(() => load.revocationIds.every((id) => published.has(id)), {
        what: 'every revocation on the topic',
      });
      await sleep(2_500);
      await Promise.all(nodes.map((node) => node.ask()));
      const result = {
        what: 'Kafka down',
        seed: SEED,
        seconds: SECONDS,
        lost: await lostOf(load),
        more: {
          revokedInOutage: inOutage.length,
          failedRevokes,
          drainedMs,
          backMs: Math.round(tookMs),
          rssMb: { before, after },
          whyFailed: load.failures,
        },
      };
      const faults = [{ name: 'Kafka down', times: 1, worstRecoveryMs: Math.round(tookMs) }];
      const summary = summarise(result, cluster, load, { faults, skipped: [], failures: notBack });
      tell(summary);
      expect(summary).toMatchObject({ violations: [], falseRefusals: [], lost: [], failures: [] });
      expect(failedRevokes).toBe(0);
      after.forEach((mb, i) => expect(mb - before[i]!).toBeLessThan(MAX_GROWTH_MB));
    });
  },
);

function rssOf(pid: number): number {
  const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(pages?.[1] ?? NaN) / 1_024);
}
