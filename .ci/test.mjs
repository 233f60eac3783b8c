// The README's test command: every check, one after the other, with what it took. Stops at the first that fails.
import { spawnSync } from 'node:child_process';

const steps = [
  ['lint and format', 'lint'],
  ['types', 'types'],
  ['dependency rule', 'layers'],
  ['unused code and dependencies', 'unused'],
  ['unit tests', 'test:unit'],
  ['contract tests (a real PostgreSQL)', 'test:contract'],
  ['system tests (real processes and sockets)', 'test:system'],
  ['chaos, the short form (a minute of faults, and the oracle tested)', 'test:chaos'],
];

const begun = performance.now();
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
for (const [index, [name, script]] of steps.entries()) {
  const started = performance.now();
  console.log(`\n[${index + 1}/${steps.length}] ${name}: npm run ${script}`);
  const { status } = spawnSync('npm', ['run', '--silent', script], { stdio: 'inherit' });
  if (status !== 0) {
    console.log(`\nFAILED: ${name}, after ${seconds(started)}`);
    process.exit(1);
  }
  console.log(`done: ${name}, ${seconds(started)}`);
}
console.log(`\nAll ${steps.length} checks passed in ${seconds(begun)}.`);
console.log(
  'Not run here: the long rounds (ROUNDS=50, PAUSE=60000, CHAOS_SECONDS=1800) and the benchmarks (npm run bench).',
);
if (!process.env.KURRENTDB_URL)
  console.log(
    'The KurrentDB log was tested on a double that speaks its protocol: KURRENTDB_URL names no server.',
  );
