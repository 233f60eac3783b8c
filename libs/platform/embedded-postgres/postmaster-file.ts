import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running (or killed) PostgreSQL says about itself in its data folder. */
export interface Postmaster {
  readonly pid: number;
  /** Undefined while the server is still starting. */
  readonly port: number | undefined;
}

/** Parses `postmaster.pid`: pid, data folder, start time, port, … one a line. Undefined for anything else. */
export function parsePostmasterFile(text: string): Postmaster | undefined {
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const port = Number(lines[3]);
  return { pid, port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined };
}

export function readPostmasterFile(dataFolder: string): Postmaster | undefined {
  try {
    return parsePostmasterFile(readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8'));
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Whether the process is a PostgreSQL on this data folder. After a restart of a container or a machine the pid in the file
 * may be another program's. Without /proc every living process is taken for one.
 */
export function isPostmasterOf(pid: number, dataFolder: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return /postgres(\.exe)?$/.test(commandLine[0] ?? '') && commandLine.includes(dataFolder);
  } catch {
    return isAlive(pid);
  }
}
