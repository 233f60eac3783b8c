import { eventually } from '../support/cluster.js';
import type { ChaosCluster } from './chaos-cluster.js';
import type { Instance } from './instance.js';

/** Of the sessions that hold a lock of the relay: the ports from which they came. */
const HOLDERS = `select a.client_port from pg_stat_activity a join pg_locks l using (pid)
  where a.application_name = 'curfew-relay' and l.locktype = 'advisory' and l.granted`;

/** The instance that publishes to Kafka now; waits until there is one. */
export function relayLeader({ postgres, instances }: ChaosCluster, other?: Instance): Promise<Instance> {
  return eventually(
    async () => {
      const client = await postgres.connectAsOperator();
      const { rows } = await client.query<{ client_port: number }>(HOLDERS).finally(() => client.end());
      const leader = instances.find(({ database }) =>
        rows.some(({ client_port: port }) => database.arrivesFrom(port)),
      );
      return leader !== other && leader;
    },
    { within: 20_000, what: 'a leading relay' },
  );
}

/** What the server does when it takes the leader for gone. */
export async function deposeRelay({ postgres }: ChaosCluster): Promise<void> {
  const client = await postgres.connectAsOperator();
  await client
    .query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'curfew-relay'`)
    .finally(() => client.end());
}
