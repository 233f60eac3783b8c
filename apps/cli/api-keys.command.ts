import { Option, type Command } from 'commander';
import { API_KEY_SCOPES, type ApiKeyScope } from '#contracts';
import { findConnection } from './connection.js';
import { callService } from './rest.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';
import { minute, table } from './table.js';

interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly tenants: readonly string[];
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly revokedAt?: number;
}

interface CreateOptions extends GlobalOptions {
  readonly name: string;
  readonly scope: readonly ApiKeyScope[];
  readonly tenant?: readonly string[];
  readonly audience?: readonly string[];
}

const describeKey = (key: ApiKey): string =>
  table(
    ['id', key.id],
    [
      ['name', key.name],
      ['scopes', key.scopes.join(' ')],
      ['tenants', key.tenants.join(' ')],
      ['audiences', key.audiences.join(' ')],
    ],
  );

const listKeys = (keys: readonly ApiKey[]): string =>
  table(
    ['ID', 'NAME', 'CREATED', 'STATE', 'TENANTS', 'SCOPES'],
    keys.map(({ id, name, createdAt, revokedAt, tenants, scopes }) => [
      id,
      name,
      minute(createdAt),
      revokedAt === undefined ? 'in force' : `revoked ${minute(revokedAt)}`,
      tenants.join(' '),
      scopes.join(' '),
    ]),
  );

/** Adds `api-keys create | list | revoke` to the program. */
export function addApiKeyCommands(program: Command, surroundings: Surroundings): void {
  const { env } = surroundings;
  const apiKeys = program.command('api-keys').description('make, list and revoke API keys');

  apiKeys
    .command('create')
    .description('make an API key; it is shown this once')
    .requiredOption('--name <text>', 'what it is for')
    .addOption(
      new Option('--scope <scope...>', 'what it may do').choices(API_KEY_SCOPES).makeOptionMandatory(),
    )
    .option('--tenant <tenant...>', 'tenants it is bound to (default: default; * is every tenant)')
    .option('--audience <audience...>', 'audiences whose tokens it may introspect')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CreateOptions>();
      const made = (await callService(await findConnection(options, env), 'POST', '/v1/api-keys', {
        body: {
          name: options.name,
          scopes: [...new Set(options.scope)],
          ...(options.tenant ? { tenants: options.tenant } : {}),
          ...(options.audience ? { audiences: options.audience } : {}),
        },
      })) as ApiKey & { readonly key: string };
      show(
        surroundings,
        options,
        made,
        () => `${describeKey(made)}\n\n${made.key}\n\nKeep it: it is not shown again.`,
      );
    });

  apiKeys
    .command('list')
    .description('API keys within the tenants of yours, revoked ones too')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const answer = (await callService(await findConnection(options, env), 'GET', '/v1/api-keys')) as {
        readonly apiKeys: readonly ApiKey[];
      };
      show(surroundings, options, answer, () => listKeys(answer.apiKeys));
    });

  apiKeys
    .command('revoke')
    .argument('<id>', 'from the list')
    .description('revoke an API key for good; its open streams are cut')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const connection = await findConnection(options, env);
      await callService(connection, 'DELETE', `/v1/api-keys/${encodeURIComponent(id)}`);
      show(surroundings, options, { id, revoked: true }, () => `revoked ${id}`);
    });
}
