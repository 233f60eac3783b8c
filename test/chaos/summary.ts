import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosCluster } from './chaos-cluster.js';
import type { Load } from './load.js';
import type { Played } from './schedule.js';

/** What a run was and what came of it. */
export interface Summary {
  readonly what: string;
  readonly seed: number;
  readonly seconds: number;
  readonly nodes: readonly { readonly name: string; readonly bound: number }[];
  readonly faults: Played['faults'];
  readonly skipped: Played['skipped'];
  readonly verified: ReturnType<ChaosCluster['counts']>;
  readonly writes: Load['counts'];
  /** The latest that a node accepted a session after its revoke had returned. */
  readonly worstStalenessMs: number;
  readonly violations: ChaosCluster['oracle']['violations'];
  readonly falseRefusals: ChaosCluster['oracle']['falseRefusals'];
  /** Acknowledged and not there, or not ended. */
  readonly lost: readonly string[];
  readonly failures: readonly string[];
  readonly more?: Readonly<Record<string, unknown>>;
}

type Found = Pick<Summary, 'what' | 'seed' | 'seconds' | 'lost'> & Partial<Pick<Summary, 'more'>>;

export function summarise(
  found: Found,
  cluster: ChaosCluster,
  load: Load,
  { faults, skipped, failures }: Played,
): Summary {
  const { oracle, nodes } = cluster;
  return {
    ...found,
    nodes: nodes.map(({ name, bound }) => ({ name, bound })),
    faults,
    skipped,
    verified: cluster.counts(),
    writes: load.counts,
    worstStalenessMs: Math.round(oracle.worstStalenessMs),
    violations: oracle.violations,
    falseRefusals: oracle.falseRefusals,
    failures,
  };
}

const count = (n: number): string => n.toLocaleString('en');

/** For people, then as one line of JSON, which also goes to a file in the folder that CHAOS_SUMMARY names. */
export function tell(summary: Summary): void {
  const { verified, writes, faults } = summary;
  const width = Math.max(...faults.map(({ name }) => name.length), 20);
  const lines = [
    `${summary.what}: seed ${summary.seed}, ${summary.seconds} s, ${summary.nodes.length} nodes, B ${[...new Set(summary.nodes.map(({ bound }) => bound))].join(' or ')} ms`,
    `  ${'fault'.padEnd(width)}  times  back within`,
    ...faults.map(
      ({ name, times, worstRecoveryMs }) =>
        `  ${name.padEnd(width)}  ${String(times).padStart(5)}  ${times === 0 ? '-' : `${(worstRecoveryMs / 1_000).toFixed(1)} s`}`,
    ),
    ...summary.skipped.map(({ name, missing }) => `  SKIPPED: ${name}: there is no ${missing.join(', no ')}`),
    `  verifications: ${count(verified.accepted)} accepted (${count(verified.hits)} from the cache), ${count(verified.refused)} refused, ${count(verified.stale)} stale, ${count(verified.introspections)} introspections`,
    `  writes: ${count(writes.created)} sessions, ${count(writes.revoked)} revoked one by one, ${count(writes.massRevoked)} mass revocations, ${count(writes.failedWrites + writes.failedRevokes)} attempts repeated`,
    `  worst staleness: ${summary.worstStalenessMs} ms after the revoke had returned`,
    `  violations: ${summary.violations.length}, false refusals: ${summary.falseRefusals.length}, lost: ${summary.lost.length}, other failures: ${summary.failures.length}`,
    ...summary.failures.map((failure) => `  FAILURE: ${failure}`),
    ...(summary.more === undefined ? [] : [`  ${JSON.stringify(summary.more)}`]),
  ];
  console.log(`${lines.join('\n')}\n${JSON.stringify(summary)}`);
  const folder = process.env['CHAOS_SUMMARY'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${summary.what.replaceAll(' ', '-').toLowerCase()}.json`);
  writeFileSync(file, `${JSON.stringify(summary, null, 2)}\n`);
}
