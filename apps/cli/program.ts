import { Command, CommanderError } from 'commander';
import { addApiKeyCommands } from './api-keys.command.js';
import { CliError, EXIT_CODES } from './cli-error.js';
import { addFeedCommand } from './feed.command.js';
import { addProjectionCommands } from './projections.command.js';
import { addRelayCommand } from './relay.command.js';
import { addReceiptCommand } from './receipt.command.js';
import { addRevokeCommand } from './revoke.command.js';
import { addSessionCommands } from './sessions.command.js';
import type { Surroundings } from './surroundings.js';
import { addTopicCommands } from './topics.command.js';

/** Runs one command line (without `node` and the script). @returns the exit code */
export async function runCli(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, complain } = surroundings;
  const program = new Command('curfew')
    .description('Operates a Curfew session service over its REST door.')
    .option('--url <url>', 'of the service (CURFEW_URL; else the one that runs on the data folder)')
    .option('--api-key-file <file>', 'holds the API key (CURFEW_API_KEY, CURFEW_API_KEY_FILE)')
    .option('--data-dir <folder>', 'of an embedded service (CURFEW_DATA_DIR; else ./.curfew)')
    .option('--json', 'print JSON')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => print(text.trimEnd()),
      writeErr: (text) => complain(text.trimEnd()),
    });
  addRevokeCommand(program, surroundings);
  addReceiptCommand(program, surroundings);
  addSessionCommands(program, surroundings);
  addFeedCommand(program, surroundings);
  addProjectionCommands(program, surroundings);
  addApiKeyCommands(program, surroundings);
  addRelayCommand(program, surroundings);
  addTopicCommands(program, surroundings);
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said what was wrong; help and version come this way, too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
    if (!(error instanceof CliError)) throw error;
    complain(`curfew: ${error.message}`);
    return EXIT_CODES[error.kind];
  }
}
