import type { Fault } from '../fault.js';

/** SIGSTOP of every process of PostgreSQL. */
export const postgresPaused: Fault = {
  name: 'PostgreSQL paused',
  breaks: ['postgres'],
  inject({ cluster: { postgres } }) {
    postgres.pause();
    return Promise.resolve(() => {
      postgres.resume();
      return Promise.resolve();
    });
  },
};
