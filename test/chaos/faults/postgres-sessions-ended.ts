import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.js';

/** Sessions of the service on PostgreSQL are ended at random, again and again. */
export const postgresSessionsEnded: Fault = {
  name: 'PostgreSQL sessions ended',
  breaks: ['postgres'],
  async inject({ cluster: { postgres } }) {
    const client = await postgres.connectAsOperator();
    let healed = false;
    const ending = (async () => {
      while (!healed) {
        await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where application_name like 'curfew%' and pid <> pg_backend_pid() and random() < 0.3`,
        );
        await sleep(300);
      }
    })();
    return async () => {
      healed = true;
      await ending;
      await client.end();
    };
  },
};
