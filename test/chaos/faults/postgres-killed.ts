import type { Fault } from '../fault.js';

/** kill -9 of every process of PostgreSQL; it comes back by crash recovery. */
export const postgresKilled: Fault = {
  name: 'PostgreSQL killed',
  breaks: ['postgres'],
  async inject({ cluster: { postgres, watchdog } }) {
    watchdog.unwatch(postgres.pid);
    await postgres.kill();
    return async () => {
      await postgres.restart();
      watchdog.watch(postgres.pid);
    };
  },
};
