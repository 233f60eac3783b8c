import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { print } from './model/effort.js';
import { MUTATIONS, mutated, SINGLE_LOCKS } from './model/epochs/mutations.js';
import { DESIGN } from './model/epochs/rules.js';
import { MUTATION_RUNS, run, RUNS, schedule, search, SEED, TIMEOUT_MS } from './model/epochs/schedules.js';

describe('G1, G5: epochs, modelled against the plain definition "excepted in every epoch since"', () => {
  it(
    'G5: streams and nodes say what the plain definition says, whatever interleaves',
    () => {
      const { failed, counterexample, errorInstance, numRuns } = search(DESIGN, RUNS);
      print(`epochs model: seed ${SEED}: ${numRuns} schedules`);
      expect(failed ? { error: String(errorInstance), counterexample } : null).toBeNull();
    },
    TIMEOUT_MS,
  );

  it('G5: the schedules get to what matters', () => {
    const seen = { scopes: 0, excepted: 0, kept: 0, adopted: 0, ended: 0 };
    for (const actions of fc.sample(schedule, { seed: SEED, numRuns: 300 })) {
      for (const { type, data } of run(DESIGN, actions).log.events) {
        const { epoch = 0, excepted = {} } = data as { epoch?: number; excepted?: Record<string, number> };
        if (type === 'scope.revoked') seen.scopes++;
        if (Object.keys(excepted).length > 0) seen.excepted++;
        if (Object.values(excepted).some((from) => from < epoch - 1)) seen.kept++;
        if (type === 'session.rotated' && 'ep' in data) seen.adopted++;
        if (type === 'session.revoked') seen.ended++;
      }
    }
    print(`epochs model: events in 300 schedules: ${JSON.stringify(seen)}`);
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(30);
  });

  it.each(SINGLE_LOCKS.map((lock) => [lock.name, lock] as const))(
    'G1: the model allows: %s',
    (_name, lock) => {
      const { counterexample, errorInstance } = search(mutated(lock), Math.ceil(RUNS / 4));
      expect({ error: errorInstance, counterexample }).toEqual({ error: null, counterexample: null });
    },
    TIMEOUT_MS,
  );

  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    'G5: the model refutes: %s',
    (name, mutation) => {
      const { failed, counterexample, errorInstance, numRuns } = search(mutated(mutation), MUTATION_RUNS);
      print(`epochs model: ${name}: seed ${SEED}, ${numRuns} schedules: ${String(errorInstance)}`);
      expect(failed).toBe(true);
      expect(String(errorInstance)).toMatch(mutation.shows);
      // It is the rule that matters, not the schedule.
      expect(() => run(DESIGN, counterexample![0])).not.toThrow();
    },
    TIMEOUT_MS,
  );
});
