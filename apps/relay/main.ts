import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { createLogger } from '#platform';
import { startRelay } from './relay.js';
import { readSettings, UsageError, type RelaySettings } from './settings.js';

/** A stop that takes longer has met something that does not answer; a relay holds nothing that could be lost. */
const STOPPING_PATIENCE_MS = 6_000;

/** A host as it stands in a URL; in place of every address of the machine, one that can be called. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

async function run(settings: RelaySettings): Promise<void> {
  const logger = createLogger({ level: 'info', format: process.stdout.isTTY ? 'pretty' : 'json' });
  // It writes to standard error past our log, of errors that we get to know anyway.
  setLogVerbosity(logVerbosity.NONE);
  let stop = (): void => process.exit(0);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop());
  process.on('disconnect', () => stop());
  const relay = await startRelay(settings, {
    onUpstreamEnd: (detail) => logger.warn(`the upstream's stream ended: ${detail}`),
  });
  stop = () => {
    stop = () => process.exit(1);
    setTimeout(() => process.exit(1), STOPPING_PATIENCE_MS).unref();
    void relay.stop().finally(() => process.exit(0));
  };
  const grpc = `${settings.tls ? 'https' : 'http'}://${reachable(settings.host)}:${relay.port}`;
  logger.info(`ready: gRPC ${grpc}, node id ${settings.nodeId}`);
  process.send?.({ ready: { grpc } });
}

try {
  await run(readSettings(process.argv.slice(2), process.env));
} catch (error) {
  process.stderr.write(`curfew relay: ${(error as Error).message}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
