import fc from 'fast-check';
import type { EpochRules } from './rules.js';
import { ANY_SESSION, World, type Action } from './world.js';

/** `SEED` repeats a run, `RUNS` prolongs it. */
export const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
export const RUNS = Number(process.env['RUNS'] ?? 3_000);
/** In so many schedules each mutation has to be found. */
export const MUTATION_RUNS = 20_000;
export const TIMEOUT_MS = Math.max(60_000, RUNS * 20);

const session = fc.oneof(fc.nat(1), fc.nat(6));
const doing = <A extends Action>(weight: number, action: { [K in keyof A]: fc.Arbitrary<A[K]> }) => ({
  weight,
  arbitrary: fc.record(action) as unknown as fc.Arbitrary<Action>,
});
type Do<Kind extends Action['do']> = Extract<Action, { do: Kind }>;

const action: fc.Arbitrary<Action> = fc.oneof(
  doing<Do<'create'>>(3, { do: fc.constant('create'), sub: fc.nat(1), client: fc.nat(1) }),
  doing<Do<'refresh'>>(8, { do: fc.constant('refresh'), session, flipped: fc.boolean() }),
  doing<Do<'end'>>(1, { do: fc.constant('end'), session }),
  doing<Do<'revoke'>>(8, {
    do: fc.constant('revoke'),
    kind: fc.constantFrom('user', 'user', 'user', 'user', 'client', 'tenant', 'global'),
    session,
    except: fc.oneof(
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 4, arbitrary: fc.array(fc.nat(1), { minLength: 1, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.array(fc.nat(ANY_SESSION), { minLength: 1, maxLength: 3 }) },
    ),
    key: fc.constantFrom(0, 0, 1, 2),
    flipped: fc.boolean(),
  }),
  doing<Do<'step'>>(25, {
    do: fc.constant('step'),
    command: fc.nat(7),
    times: fc.constantFrom(1, 2, 4, 5, 9, Infinity),
  }),
  doing<Do<'deliver'>>(6, { do: fc.constant('deliver'), node: fc.nat(1), message: fc.nat(9) }),
);

export const schedule = fc.array(action, { minLength: 10, maxLength: 80, size: 'max' });

/** Two sessions of one user and one of another are there when a schedule begins. */
export function run(rules: EpochRules, actions: readonly Action[]): World {
  const world = new World(rules);
  for (const sub of [0, 0, 1]) {
    world.act({ do: 'create', sub, client: 0 });
    world.act({ do: 'step', command: 0, times: Infinity });
  }
  for (const one of actions) world.act(one);
  world.finish();
  return world;
}

export const search = (rules: EpochRules, numRuns: number) =>
  fc.check(
    fc.property(schedule, (actions) => void run(rules, actions)),
    { seed: SEED, numRuns, endOnFailure: true },
  );
