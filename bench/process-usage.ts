import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of Linux's `/proc/<pid>/stat`: 100 a second wherever Node runs. */
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly parent: number;
  /** User and system time of the process and of the children that it has waited for, in seconds. */
  readonly cpu: number;
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold spaces.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (field: number): number => fields[field - 3] ?? 0;
    return { parent: at(4), cpu: (at(14) + at(15) + at(16) + at(17)) / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
}

/** CPU seconds of a process and of its living children. */
function cpuOf(pid: number): number {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const stats = pids.flatMap((each) => {
    const stat = statOf(each);
    return stat && (each === pid || stat.parent === pid) ? [stat.cpu] : [];
  });
  return stats.reduce((sum, cpu) => sum + cpu, 0);
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1_024;
}

/** CPU seconds so far of processes, each with its living children (a PostgreSQL connection that ends takes its own along). */
export function cpuSeconds<Name extends string>(pids: Readonly<Record<Name, number>>): Record<Name, number> {
  const names = Object.keys(pids) as Name[];
  return Object.fromEntries(names.map((name) => [name, cpuOf(pids[name])])) as Record<Name, number>;
}

/** CPU of processes, each with its children, in % of one core over some seconds. */
export async function cpuShares<Name extends string>(
  pids: Readonly<Record<Name, number>>,
  seconds: number,
): Promise<Record<Name, number>> {
  const before = cpuSeconds(pids);
  const begun = performance.now();
  await sleep(seconds * 1_000);
  const elapsed = (performance.now() - begun) / 1_000;
  const after = cpuSeconds(pids);
  const names = Object.keys(pids) as Name[];
  const shares = names.map((name) => [name, (100 * (after[name] - before[name])) / elapsed]);
  return Object.fromEntries(shares) as Record<Name, number>;
}

/** Of the embedded PostgreSQL of a service. */
export const postmasterPid = (dataFolder: string): number =>
  Number(readFileSync(join(dataFolder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
