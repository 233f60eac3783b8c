import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import pg from 'pg';
import { openDataCluster, type DataCluster } from '../../libs/platform/embedded-postgres/data-cluster.js';
import { ensureDatabase, serverUrl } from '../../libs/platform/embedded-postgres/instance-lock.js';
import { spawnAs } from '../../libs/platform/embedded-postgres/server-account.js';
import { findServerBinaries } from '../../libs/platform/embedded-postgres/server-binaries.js';
import { freeLoopbackPort, stopServer } from '../../libs/platform/embedded-postgres/server-process.js';
import { eventually } from './cluster.js';

const DATABASE = 'curfew';

/** A PostgreSQL of the test's own that nobody takes care of: it is killed and comes back on the same port. */
export class OwnPostgres {
  private process: ChildProcess | undefined;

  private constructor(
    private readonly cluster: DataCluster,
    private readonly port: number,
  ) {}

  /** With an empty database, on a free port that it keeps. Cost: about 1.5 s. */
  static async start(folder: string): Promise<OwnPostgres> {
    const cluster = await openDataCluster(folder, findServerBinaries());
    const server = new OwnPostgres(cluster, await freeLoopbackPort());
    await server.restart();
    const client = await server.connect('postgres');
    await ensureDatabase(client, DATABASE);
    await client.end();
    return server;
  }

  /** A second server on a copy of a stopped one's data, as after a promotion: the same system, the same password. */
  static async startCopy(original: OwnPostgres, folder: string): Promise<OwnPostgres> {
    if (original.process !== undefined) throw new Error('a server that runs cannot be copied');
    // With owner and modes: PostgreSQL refuses to start otherwise.
    execFileSync('cp', ['-a', original.cluster.folder, folder]);
    const cluster = await openDataCluster(folder, findServerBinaries());
    const server = new OwnPostgres(cluster, await freeLoopbackPort());
    await server.restart();
    return server;
  }

  get pid(): number {
    if (this.process?.pid === undefined) throw new Error('PostgreSQL does not run');
    return this.process.pid;
  }

  get url(): string {
    return serverUrl(this.cluster, this.port, DATABASE);
  }

  /** kill -9 of the postmaster and of every process of it. */
  async kill(): Promise<void> {
    const { process: postmaster } = this;
    if (postmaster?.pid === undefined) throw new Error('PostgreSQL does not run');
    const exit = once(postmaster, 'exit');
    const children = childrenOf(postmaster.pid);
    postmaster.kill('SIGKILL');
    children.forEach((child) => signalIfThere(child, 'SIGKILL'));
    await exit;
    this.process = undefined;
  }

  /** Straight to the service's database. The caller ends it. */
  connectAsOperator(): Promise<pg.Client> {
    return this.connect(DATABASE);
  }

  /** SIGSTOP of the postmaster, so that there is no new process, and then of every process of it. */
  pause(): void {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    childrenOf(pid).forEach((child) => signalIfThere(child, 'SIGSTOP'));
  }

  resume(): void {
    const { pid } = this;
    childrenOf(pid).forEach((child) => signalIfThere(child, 'SIGCONT'));
    process.kill(pid, 'SIGCONT');
  }

  /** Resolves when it answers. Cost: the crash recovery after a kill, about 0.2 s. */
  async restart(): Promise<void> {
    await eventually(
      async () => {
        // The processes of a server that was killed may hold its memory for a moment, and then the start is refused.
        if (this.process === undefined || this.process.exitCode !== null) this.process = this.launch();
        const client = await this.connect('postgres').catch(() => undefined);
        await client?.end();
        return client !== undefined;
      },
      { within: 60_000, what: 'the start of PostgreSQL' },
    );
  }

  async stop(): Promise<void> {
    if (this.process?.pid !== undefined) await stopServer(this.process.pid, this.cluster.dataFolder);
    this.process = undefined;
  }

  private launch(): ChildProcess {
    const settings = { port: this.port, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
    const { account, dataFolder } = this.cluster;
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawnAs(account, findServerBinaries().postgres, ['-D', dataFolder, ...args], {
      stdio: 'ignore',
      folders: [dirname(dataFolder)],
    });
    child.unref();
    return child;
  }

  private async connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: serverUrl(this.cluster, this.port, database) });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

/** PostgreSQL's processes are in sessions of their own: no group reaches them. Linux alone tells; elsewhere they end by themselves. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended with its parent.
  }
}
