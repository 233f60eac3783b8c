import type { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { CurfewError } from '#contracts';
import type { DataCluster } from './data-cluster.js';
import { tryInstanceLock } from './instance-lock.js';
import { isPostmasterOf, readPostmasterFile, type Postmaster } from './postmaster-file.js';
import type { ServerBinaries } from './server-binaries.js';
import { LaunchedServer } from './server-process.js';

/** A running server whose instance lock this process holds. */
export interface AcquiredServer {
  readonly pid: number;
  readonly port: number;
  readonly lock: Client;
  /** Another process started it. */
  readonly adopted: boolean;
}

/** Crash recovery after a long run of writes takes its time. */
const START_PATIENCE = 180_000;
/** How long the lock of a service that was just killed may linger. */
const HOLDER_PATIENCE = 2_000;
const POLL = 20;

/**
 * Looks until it has the lock of the server that runs on the cluster, and starts one where none runs. Whoever gets the lock
 * owns the server, whoever started it: so starts that race, and servers that outlived their service, are no special cases.
 * @throws CurfewError ERR_DATA_FOLDER_IN_USE, ERR_CONFIG
 */
export async function acquireServer(cluster: DataCluster, binaries: ServerBinaries): Promise<AcquiredServer> {
  const search = new ServerSearch(cluster, binaries);
  const deadline = performance.now() + START_PATIENCE;
  try {
    while (performance.now() < deadline) {
      const acquired = await search.step();
      if (acquired !== undefined) return acquired;
      await delay(POLL);
    }
    throw new CurfewError('ERR_CONFIG', {
      detail: `PostgreSQL in ${cluster.folder} was not ready in time: see ${cluster.logFile}`,
    });
  } catch (error) {
    await search.abandon();
    throw error;
  }
}

class ServerSearch {
  private launched: LaunchedServer | undefined;
  private heldSince: number | undefined;

  constructor(
    private readonly cluster: DataCluster,
    private readonly binaries: ServerBinaries,
  ) {}

  async step(): Promise<AcquiredServer | undefined> {
    const running = readPostmasterFile(this.cluster.dataFolder);
    if (running !== undefined && isPostmasterOf(running.pid, this.cluster.dataFolder)) {
      return this.tryToTake(running);
    }
    if (this.launched === undefined || this.launched.hasExited) {
      this.requireRetry();
      this.launched = await LaunchedServer.launch(this.cluster, this.binaries);
    }
    return undefined;
  }

  /** One that another service has taken over meanwhile is no longer ours to end. */
  async abandon(): Promise<void> {
    if (this.heldSince === undefined) await this.launched?.abandon(this.cluster.dataFolder);
  }

  private async tryToTake({ pid, port }: Postmaster): Promise<AcquiredServer | undefined> {
    if (port === undefined) return undefined;
    const attempt = await tryInstanceLock(this.cluster, port);
    if (attempt.kind === 'locked') {
      return { pid, port, lock: attempt.client, adopted: pid !== this.launched?.pid };
    }
    this.heldSince = attempt.kind === 'held-by-another' ? (this.heldSince ?? performance.now()) : undefined;
    if (this.heldSince !== undefined && performance.now() - this.heldSince > HOLDER_PATIENCE) {
      throw new CurfewError('ERR_DATA_FOLDER_IN_USE', {
        detail: `Another instance runs on the data folder ${this.cluster.folder}`,
      });
    }
    return undefined;
  }

  private requireRetry(): void {
    const why = this.launched?.whyExited();
    if (why === undefined || why.retry) return;
    throw new CurfewError('ERR_CONFIG', {
      detail: `PostgreSQL did not start in ${this.cluster.folder}: ${why.words} (see ${this.cluster.logFile})`,
    });
  }
}
