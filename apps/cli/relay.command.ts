import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CliError } from './cli-error.js';
import type { Surroundings } from './surroundings.js';

/** A process of its own: an app of its own in the sources. */
const RELAY = fileURLToPath(new URL('../relay/main.js', import.meta.url));

type RelayOptions = Readonly<Record<string, string | true | undefined>>;

const PASSED_ON = {
  upstream: '--upstream',
  listen: '--listen',
  stalenessBound: '--staleness-bound',
  nodeId: '--node-id',
  tlsCertFile: '--tls-cert-file',
  tlsKeyFile: '--tls-key-file',
  tlsTerminated: '--tls-terminated',
  apiKeyFile: '--api-key-file',
} as const;

function wordsOf(options: RelayOptions): string[] {
  return Object.entries(PASSED_ON).flatMap(([name, flag]) => {
    const value = options[name];
    if (value === undefined) return [];
    return value === true ? [flag] : [flag, value];
  });
}

/** Adds `relay` to the program. @param script of the relay's process; another one in a test */
export function addRelayCommand(program: Command, { env }: Surroundings, script = RELAY): void {
  program
    .command('relay')
    .description('serves Watch to nodes from the Watch stream of an instance or of another relay')
    .requiredOption('--upstream <urls>', 'gRPC doors to watch, used in turn, with commas between them')
    .option('--listen <host:port>', 'where nodes connect (default: 127.0.0.1:7411; port 0 takes a free one)')
    .option('--staleness-bound <ms>', 'an upstream that is silent for half of it is left (default: 2000)')
    .option('--node-id <id>', 'names the relay in receipts (default: one is drawn)')
    .option('--tls-cert-file <file>', 'certificate chain of this door (PEM)')
    .option('--tls-key-file <file>', 'its private key (PEM)')
    .option('--tls-terminated', 'something in front of this door ends TLS')
    .action(async (_options: unknown, command: Command) => {
      const words = wordsOf(command.optsWithGlobals<RelayOptions>());
      const child = spawn(process.execPath, [script, ...words], { stdio: 'inherit', env: { ...env } });
      // Ctrl-C reaches both; a TERM reaches this one alone.
      const end = (): boolean => child.kill('SIGTERM');
      const stay = (): void => undefined;
      process.on('SIGTERM', end).on('SIGINT', stay);
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      process.off('SIGTERM', end).off('SIGINT', stay);
      if (code === 2) throw new CliError('usage', 'the relay did not start');
      if (code !== 0) throw new CliError('refused', `the relay ended with ${code ?? signal ?? 'nothing'}`);
    });
}
