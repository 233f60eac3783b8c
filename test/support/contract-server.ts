/**
 * A process of its own that runs a PostgreSQL for the contract tests for as long as its standard input stays open. So the
 * server ends with the test run however that ends: normally, by Ctrl-C or by SIGKILL.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '#platform';

const ended = Promise.race([
  new Promise((done) => process.stdin.once('close', done).resume()),
  new Promise((done) => process.once('SIGTERM', done).once('SIGINT', done)),
]);
const folder = await mkdtemp(join(tmpdir(), 'curfew-contract-'));
try {
  const server = await startEmbeddedPostgres({ folder });
  process.stdout.write(`${server.url}\n`);
  await ended;
  process.stdin.destroy();
  await server.stop();
} finally {
  await rm(folder, { recursive: true, force: true });
}
