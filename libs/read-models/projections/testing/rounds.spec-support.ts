import { SEED, seededRandom } from '../../../event-log/testing/seeded-random.js';
import { until as awaited } from '../../../event-log/testing/until.js';

export { SEED };

/** `ROUNDS` in the environment prolongs a run. */
export const rounds = (few: number): number => Number(process.env['ROUNDS'] ?? few);

/** An integer from 0 to `below` - 1. */
export type Below = (below: number) => number;

export function seeded(seed: number): Below {
  const random = seededRandom(seed);
  return (below) => random.below(below);
}

/** Awaits a condition for longer than other tests do: rebuilds and takeovers take seconds. */
export const until = (condition: () => boolean | Promise<boolean>, withinMs = 8_000): Promise<void> =>
  awaited(condition, withinMs);
