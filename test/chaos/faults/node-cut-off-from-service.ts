import { oneOf, type Fault } from '../fault.js';
import { breakPaths } from '../weather.js';

/** A node's paths to every instance are reset, or nothing arrives on them any more, in one direction or both. */
export const nodeCutOffFromService: Fault = {
  name: 'node cut off from the service',
  breaks: ['nodes'],
  inject(stage) {
    return breakPaths(stage, oneOf(stage, stage.cluster.nodes).paths);
  },
};
