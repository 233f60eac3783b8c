import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/cluster.js';
import { OwnPostgres } from '../support/own-postgres.js';
import type { ChaosCluster } from './chaos-cluster.js';
import type { Instance } from './instance.js';

export interface DeposedPrimary {
  /** On the new primary. */
  readonly promoted: Instance;
  /** Of the new primary. */
  end(): Promise<void>;
}

const PROBE_MS = 300;

/**
 * A failover from which the old primary does not learn: every instance of the cluster stays with it, and a new one serves on a
 * second server that has all its data. The old one waits for a standby that is not there: it commits nothing that counts, and
 * answers reads as ever.
 */
export async function deposePrimary(cluster: ChaosCluster): Promise<DeposedPrimary> {
  const { postgres, watchdog, folder } = cluster;
  watchdog.unwatch(postgres.pid);
  await postgres.stop();
  const successor = await OwnPostgres.startCopy(postgres, join(folder, 'promoted'));
  watchdog.watch(successor.pid);
  await postgres.restart();
  watchdog.watch(postgres.pid);
  const promoted = await cluster.startInstance('promoted', successor.url);
  await eventually(() => cluster.nodes.every(({ last }) => last?.fresh), {
    what: 'leases from instances on the old primary',
  });
  await waitForNobody(postgres);
  return { promoted, end: () => successor.stop() };
}

/** Commits hang from here on; the setting takes effect some time after the reload. No statement timeout ends such a wait. */
async function waitForNobody(postgres: OwnPostgres): Promise<void> {
  const client = await postgres.connectAsOperator();
  await client.query(`alter system set synchronous_standby_names = 'absent'`);
  await client.query('select pg_reload_conf()');
  await eventually(
    async () => {
      const commit = client.query('create table if not exists probe (); drop table if exists probe').then(
        () => 'committed',
        () => 'cut off',
      );
      return (await Promise.race([commit, sleep(PROBE_MS, 'waiting')])) === 'waiting';
    },
    { what: 'a primary that waits for its standby' },
  );
  client.connection.stream.destroy();
}
