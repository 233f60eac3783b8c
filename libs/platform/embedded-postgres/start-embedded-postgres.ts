import type { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireServer, type AcquiredServer } from './acquire-server.js';
import { openDataCluster, removeUnfinishedClusters, type DataCluster } from './data-cluster.js';
import { ensureDatabase, serverUrl, tryInstanceLock } from './instance-lock.js';
import { isPostmasterOf } from './postmaster-file.js';
import { findServerBinaries } from './server-binaries.js';
import { stopServer } from './server-process.js';

export interface EmbeddedPostgresOptions {
  /**
   * Made with mode 0700 if it is not there. Started as root, an empty folder is given to the user that runs the server:
   * put other files into it after the start, not before.
   */
  readonly folder: string;
  /** Gets a line for each step of note. No secrets. */
  readonly log?: (message: string) => void;
  /**
   * Called once if the server ended, or another service took it over, without `stop`: this instance cannot go on and
   * should exit.
   */
  readonly onLost?: () => void;
}

export interface EmbeddedPostgres {
  /** Of the database `curfew`, with the password in it. */
  readonly url: string;
  readonly port: number;
  /** Of PostgreSQL's main process. */
  readonly pid: number;
  /** Ends all connections and shuts the server down cleanly. Idempotent. */
  stop(): Promise<void>;
}

const DATABASE = 'curfew';
const RELOCK_PATIENCE = 10_000;
const RELOCK_POLL = 100;

/**
 * Starts a PostgreSQL of its own, as durable as any: loopback only, SCRAM with a random password, a free port each time
 * (DESIGN §8). Goes on with the data of the last start; takes over a server whose service was killed. As root the server
 * runs as an unprivileged user. Cost: about 1 s the first time, 0.1 s later.
 * @throws CurfewError ERR_DATA_FOLDER_IN_USE while another service runs on the folder; ERR_CONFIG when the folder, the
 *   user or the installed package does not allow a start. Nothing is left running then.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = findServerBinaries();
  const cluster = await openDataCluster(options.folder, binaries);
  const server = await acquireServer(cluster, binaries);
  options.log?.(
    `PostgreSQL ${server.adopted ? 'of a service that was killed: taken over' : 'started'} in ${cluster.folder} ` +
      `(port ${server.port}, pid ${server.pid})`,
  );
  try {
    await removeUnfinishedClusters(cluster.folder);
    await ensureDatabase(server.lock, DATABASE);
  } catch (error) {
    await stopServer(server.pid, cluster.dataFolder);
    throw error;
  }
  return new RunningServer(cluster, server, options);
}

class RunningServer implements EmbeddedPostgres {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  private lock: Client;
  private stopped: Promise<void> | undefined;
  private lost = false;

  constructor(
    private readonly cluster: DataCluster,
    server: AcquiredServer,
    private readonly options: EmbeddedPostgresOptions,
  ) {
    this.url = serverUrl(cluster, server.port, DATABASE);
    this.port = server.port;
    this.pid = server.pid;
    this.lock = this.hold(server.lock);
  }

  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  /** The lock is held until the server is down: nobody can take over a server that is about to end. */
  private async shutDown(): Promise<void> {
    // A server that another instance took over is no longer ours to end.
    if (!this.lost) await stopServer(this.pid, this.cluster.dataFolder);
    await this.lock.end().catch(() => undefined);
    this.options.log?.(`PostgreSQL stopped in ${this.cluster.folder}`);
  }

  private isRunning(): boolean {
    return isPostmasterOf(this.pid, this.cluster.dataFolder);
  }

  private hold(lock: Client): Client {
    lock.once('end', () => {
      if (this.stopped === undefined) void this.lockAgain();
    });
    return lock;
  }

  /** PostgreSQL ends all connections when one of its processes crashes, and comes back by itself. */
  private async lockAgain(): Promise<void> {
    const deadline = performance.now() + RELOCK_PATIENCE;
    while (performance.now() < deadline && this.stopped === undefined && this.isRunning()) {
      const attempt = await tryInstanceLock(this.cluster, this.port);
      if (attempt.kind === 'locked') {
        this.lock = this.hold(attempt.client);
        return;
      }
      await delay(RELOCK_POLL);
    }
    if (this.stopped !== undefined) return;
    this.lost = true;
    this.options.log?.(
      `PostgreSQL in ${this.cluster.folder} is lost: it ended, or another instance took it over`,
    );
    this.options.onLost?.();
  }
}
