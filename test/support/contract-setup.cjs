const { spawn } = require('node:child_process');
const { join } = require('node:path');

/**
 * Jest's globalSetup of the contract tests: one PostgreSQL for the whole run. `TEST_DATABASE_URL` names another server.
 * Not TypeScript, since Jest loads this file without its ESM transform.
 */
module.exports = async () => {
  if (process.env.TEST_DATABASE_URL) {
    process.env.CURFEW_TEST_POSTGRES_URL = process.env.TEST_DATABASE_URL;
    return;
  }
  const server = spawn(
    process.execPath,
    ['--import', join(__dirname, 'run-typescript.cjs'), join(__dirname, 'contract-server.ts')],
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  );
  process.env.CURFEW_TEST_POSTGRES_URL = await new Promise((done, fail) => {
    server.stdout.once('data', (line) => done(String(line).trim()));
    server.once('error', fail);
    server.once('exit', (code) =>
      fail(new Error(`the PostgreSQL of the contract tests did not start (${code})`)),
    );
  });
  globalThis.curfewContractServer = server;
};
