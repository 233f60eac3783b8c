import { describe, expect, it } from '@jest/globals';
import { EFFORT, print } from './effort.js';
import { MUTATIONS } from './mutations.js';
import { ModelLease } from './node-lease.js';
import { searchAtRandom } from './random-search.js';
import { DESIGN } from './rules.js';
import { SCOPES } from './scopes.js';
import { replay, shrink } from './shrink.js';
import { describeExample } from './trace.js';
import type { Setup } from './world.js';

const { seed, length, mutationSchedules, timeoutMs } = EFFORT;

describe('G2: each rule of the lease protocol is needed', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    'G2: the model refutes %s',
    (name, { breaks, scope: scopeName }) => {
      const scope = SCOPES[scopeName];
      const lease: Setup['lease'] = (...args) => new ModelLease(...args);
      const setup: Setup = { rules: { ...DESIGN, ...breaks }, scope, lease };
      const { found } = searchAtRandom(setup, { seed, schedules: mutationSchedules, length });
      if (found === null) throw new Error(`not found in ${mutationSchedules} schedules, seed ${seed}`);
      const shortest = shrink(setup, found);
      print(
        `lease model: ${name}: "${scopeName}", seed ${seed}, schedule ${found.schedule}:\n${describeExample(shortest, scope)}`,
      );

      const { violation } = shortest;
      expect(violation.acceptedAt).toBeGreaterThan(violation.returnedAt + scope.bound);
      // It is the rule that matters, not the schedule.
      expect(replay({ ...setup, rules: DESIGN }, shortest.actions)).toBeNull();
    },
    timeoutMs,
  );
});
