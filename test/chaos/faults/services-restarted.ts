import type { Fault } from '../fault.js';

/** A rolling restart: each instance ends in order and starts again, one after the other. */
export const servicesRestarted: Fault = {
  name: 'rolling restart of the services',
  // It starts only where it finds its database.
  breaks: ['services', 'postgres'],
  async inject({ cluster }) {
    for (const instance of cluster.instances) {
      await instance.stop();
      await instance.restart();
    }
    return () => Promise.resolve();
  },
};
