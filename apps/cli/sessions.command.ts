import type { Command } from 'commander';
import type { SessionInfo } from '#contracts';
import { findConnection } from './connection.js';
import { callService } from './rest.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';
import { minute, pageLine, queryOf, table } from './table.js';

interface ListOptions extends GlobalOptions {
  readonly user: string;
  readonly tenant?: string;
  readonly at?: string;
  readonly ended?: boolean;
  readonly limit?: string;
  readonly cursor?: string;
}

interface Page {
  readonly sessions: readonly SessionInfo[];
  readonly nextCursor?: string;
}

const stateOf = ({ status, endedAt, endedReason }: SessionInfo): string =>
  [status, endedAt === undefined ? '' : minute(endedAt), endedReason ? `(${endedReason})` : '']
    .filter(Boolean)
    .join(' ');

const listSessions = ({ sessions, nextCursor }: Page): string =>
  table(
    ['SID', 'CLIENT', 'CREATED', 'LAST SEEN', 'STATE', 'DEVICE'],
    sessions.map((session) => [
      session.sid,
      session.client,
      minute(session.createdAt),
      minute(session.lastSeenAt),
      stateOf(session),
      session.device?.name ?? session.device?.userAgent ?? '',
    ]),
  ) + pageLine(nextCursor);

/** Adds `sessions list` to the program. */
export function addSessionCommands(program: Command, surroundings: Surroundings): void {
  program
    .command('sessions')
    .description('look at sessions')
    .command('list')
    .description("a user's sessions, newest first; with --at as they were then")
    .requiredOption('--user <sub>', 'the user')
    .option('--tenant <tenant>', 'needed when the API key is bound to several')
    .option('--at <instant>', 'RFC 3339 (2026-11-23T12:00:00Z), or milliseconds since the epoch')
    .option('--ended', 'ended sessions too')
    .option('--limit <number>', 'sessions a page, 100 at most (default: 50)')
    .option('--cursor <cursor>', 'of the next page, from the page before')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>();
      const { user, tenant, at, ended, limit, cursor } = options;
      const base = at === undefined ? '/v1/users' : '/v1/audit/users';
      const query = queryOf({ tenant, at, includeEnded: ended ? 'true' : undefined, limit, cursor });
      const path = `${base}/${encodeURIComponent(user)}/sessions${query}`;
      const connection = await findConnection(options, surroundings.env);
      const page = (await callService(connection, 'GET', path)) as Page;
      show(surroundings, options, page, () => listSessions(page));
    });
}
