import { oneOf, type Fault } from '../fault.js';

/** SIGSTOP of a node for longer than its bound: what it says first behind it must be no acceptance from before. */
export const nodePaused: Fault = {
  name: 'node paused',
  breaks: ['nodes'],
  lasts: { short: 4_000, long: 60_000 },
  inject(stage) {
    const node = oneOf(stage, stage.cluster.nodes);
    node.signal('SIGSTOP');
    return Promise.resolve(() => {
      node.signal('SIGCONT');
      return Promise.resolve();
    });
  },
};
