import { oneOf, type Fault } from '../fault.js';
import { breakPaths } from '../weather.js';

/** An instance goes on and does not reach PostgreSQL. */
export const serviceCutOffFromPostgres: Fault = {
  name: 'service cut off from PostgreSQL',
  breaks: ['services'],
  inject(stage) {
    return breakPaths(stage, [oneOf(stage, stage.cluster.instances).database]);
  },
};
