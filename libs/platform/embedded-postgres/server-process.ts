import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataCluster } from './data-cluster.js';
import { isAlive, isPostmasterOf, readPostmasterFile } from './postmaster-file.js';
import { spawnAs } from './server-account.js';
import type { ServerBinaries } from './server-binaries.js';

const MAX_LOG_BYTES = 1_000_000;

/** On the command line, so that no file in the data folder can weaken them. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // No socket file: its path must fit in 107 bytes, and TCP on loopback with SCRAM is all that is needed.
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  log_checkpoints: 'off',
  // Statements and the values of violated keys can hold personal data.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  logging_collector: 'off',
  log_destination: 'stderr',
};

/** A PostgreSQL that this process has started, whether it comes up or not. */
export class LaunchedServer {
  private failure: Error | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
    private readonly logStart: number,
  ) {
    child.once('error', (error) => (this.failure = error));
    child.unref();
  }

  static async launch(cluster: DataCluster, binaries: ServerBinaries): Promise<LaunchedServer> {
    const port = await freeLoopbackPort();
    const log = openLog(cluster.logFile);
    try {
      const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => [
        '-c',
        `${name}=${value}`,
      ]);
      const child = spawnAs(cluster.account, binaries.postgres, ['-D', cluster.dataFolder, ...settings], {
        stdio: ['ignore', log, log],
        folders: [dirname(cluster.dataFolder)],
        env: staleOwner(cluster.dataFolder),
      });
      return new LaunchedServer(child, cluster.logFile, fstatSync(log).size);
    } finally {
      closeSync(log);
    }
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get hasExited(): boolean {
    return this.failure !== undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Why it ended: `raced` by another start, or by something that a new attempt may not meet; or in its own words. */
  whyExited(): { readonly retry: true } | { readonly retry: false; readonly words: string } {
    if (this.failure !== undefined) return { retry: false, words: this.failure.message };
    const said = readFileSync(this.logFile).subarray(this.logStart).toString();
    const retry = [
      /postmaster\.pid" already exists/,
      /could not create any TCP\/IP sockets/,
      // Of a server that was killed; its processes notice within a moment.
      /shared memory block .* is still in use/,
      // Another service adopted it and has stopped it again.
      /received (fast|smart|immediate) shutdown request/,
    ].some((cause) => cause.test(said));
    if (retry) return { retry };
    const fatal = said.split('\n').filter((line) => line.includes('FATAL:'));
    return { retry, words: fatal.at(-1) ?? `exit code ${this.child.exitCode ?? 'none'}` };
  }

  /** For a start that failed: ends the server, unless it ends by itself. */
  async abandon(dataFolder: string): Promise<void> {
    if (this.hasExited || this.pid === undefined) return;
    const exit = once(this.child, 'exit');
    this.child.ref();
    if (readPostmasterFile(dataFolder)?.pid === this.pid) this.child.kill('SIGINT');
    await Promise.race([
      exit,
      delay(10_000, undefined, { ref: false }).then(() => this.child.kill('SIGQUIT')),
    ]);
  }
}

/** Fast shutdown: ends all connections, writes a checkpoint, and waits. After a minute without one: immediate shutdown. */
export async function stopServer(pid: number, dataFolder: string): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', 60_000],
    ['SIGQUIT', 15_000],
  ] as const) {
    if (!isPostmasterOf(pid, dataFolder)) return;
    process.kill(pid, signal);
    if (await isGoneWithin(pid, dataFolder, patience)) return;
  }
}

async function isGoneWithin(pid: number, dataFolder: string, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds;
  let closedAt: number | undefined;
  while (performance.now() < end) {
    if (!isAlive(pid)) return true;
    if (readPostmasterFile(dataFolder)?.pid !== pid) closedAt ??= performance.now();
    // An adopted server that nobody reaps stays visible for ever as a zombie: then its file is the evidence.
    if (closedAt !== undefined && performance.now() - closedAt > 1_000) return true;
    await delay(10);
  }
  return false;
}

/** After a restart of a container, the pid in the file of a killed server may be that of an unrelated process of the same
 * user. PostgreSQL would refuse to start; naming the pid as its grandparent makes it look closer and go on. */
function staleOwner(dataFolder: string): NodeJS.ProcessEnv {
  const postmaster = readPostmasterFile(dataFolder);
  if (postmaster === undefined || isPostmasterOf(postmaster.pid, dataFolder)) return {};
  return { PG_GRANDPARENT_PID: String(postmaster.pid) };
}

/** Opened here and handed down, so that the log goes on when the service is killed. Started afresh when it is long. */
function openLog(file: string): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  const log = openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  if (fstatSync(log).size > MAX_LOG_BYTES) ftruncateSync(log);
  return log;
}

/** Free a moment ago: whoever listens must be ready to find it taken. */
export async function freeLoopbackPort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
