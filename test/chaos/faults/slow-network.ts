import type { Fault } from '../fault.js';

/** Every path takes longer, each by something else: messages cross each other. */
export const slowNetwork: Fault = {
  name: 'slow network',
  // Healed before a service starts again: behind half a second to PostgreSQL and back it would not get ready.
  breaks: ['postgres', 'nodes'],
  inject({ cluster: { nodes, instances }, random }) {
    const paths = [...nodes.flatMap((node) => node.paths), ...instances.map(({ database }) => database)];
    for (const path of paths) path.slowDown(random() * 250);
    return Promise.resolve(() => {
      for (const path of paths) path.heal();
      return Promise.resolve();
    });
  },
};
