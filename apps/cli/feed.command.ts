import type { Command } from 'commander';
import type { SecurityFeedEntry, SecurityFeedPage } from '#application';
import { findConnection } from './connection.js';
import { callService } from './rest.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';
import { pageLine, queryOf, second, table } from './table.js';

interface FeedOptions extends GlobalOptions {
  readonly tenant?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

const rowOf = ({ at, kind, sub = '', sid = '', detail }: SecurityFeedEntry): string[] => [
  second(at),
  kind,
  sub,
  sid,
  JSON.stringify(detail),
];

/** Adds `feed` to the program. */
export function addFeedCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('feed')
    .description('thefts, mass revocations and replays, newest first')
    .option('--tenant <tenant>', 'needed when the API key is bound to several')
    .option('--limit <number>', 'entries a page, 200 at most (default: 100)')
    .option('--cursor <cursor>', 'of the next page, from the page before')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<FeedOptions>();
      const { tenant, limit, cursor } = options;
      const connection = await findConnection(options, surroundings.env);
      const path = `/v1/security-feed${queryOf({ tenant, limit, cursor })}`;
      const page = (await callService(connection, 'GET', path)) as SecurityFeedPage;
      const headings = ['TIME', 'KIND', 'USER', 'SID', 'DETAIL'];
      const text = () => table(headings, page.entries.map(rowOf)) + pageLine(page.nextCursor);
      show(surroundings, options, page, text);
    });
}
