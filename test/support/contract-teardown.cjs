const { once } = require('node:events');

/** Jest's globalTeardown of the contract tests: the server ends with its standard input. */
module.exports = async () => {
  const server = globalThis.curfewContractServer;
  if (server === undefined || server.exitCode !== null) return;
  const exit = once(server, 'exit');
  server.stdin.end();
  await exit;
};
