/**
 * `LEASE_MODEL=large` searches for minutes instead of seconds; `LEASE_MODEL_SEED=n` starts from another seed. By default every
 * run is the same.
 */
const large = process.env['LEASE_MODEL'] === 'large';

export const EFFORT = {
  large,
  seed: Number(process.env['LEASE_MODEL_SEED'] ?? 29),
  /** Most actions in one schedule. */
  length: 150,
  /** Schedules of the right protocol, in each scope. */
  schedules: large ? 1_000_000 : 700,
  /** Schedules in which a mutation has to be found. */
  mutationSchedules: 60_000,
  /** A search that ends here is reported as incomplete. */
  maxStates: 3_000_000,
  timeoutMs: large ? 3_600_000 : 120_000,
} as const;

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
