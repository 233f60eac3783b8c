import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import { CALLER_REASONS, type CallerReason, type MassRevocation, type MassRevoked } from '#contracts';
import { CliError } from './cli-error.js';
import { findConnection, type Connection } from './connection.js';
import { addWaitOptions, waitForReceipt, waitOf, type WaitOptions } from './receipt.command.js';
import { callService, callUntilKnown } from './rest.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';
import { queryOf } from './table.js';

interface RevokeOptions extends GlobalOptions, WaitOptions {
  readonly sid?: string;
  readonly user?: string;
  readonly client?: string;
  readonly tenantWide?: boolean;
  readonly all?: boolean;
  readonly tenant?: string;
  readonly except?: readonly string[];
  readonly reason?: CallerReason;
  readonly yes?: boolean;
}

type Target = { readonly sid: string } | MassRevocation;

const usage = (message: string): never => {
  throw new CliError('usage', message);
};

/** @throws CliError unless it is exactly one, and the other options belong to it */
function targetOf(options: RevokeOptions): Target {
  const { sid, user, client, tenantWide, all, tenant, except } = options;
  const inTenant = tenant === undefined ? {} : { tenant };
  const targets: Target[] = [
    ...(sid === undefined ? [] : [{ sid }]),
    ...(user === undefined ? [] : [{ scope: 'user' as const, sub: user, ...inTenant }]),
    ...(client === undefined ? [] : [{ scope: 'client' as const, client, ...inTenant }]),
    ...(tenantWide ? [{ scope: 'tenant' as const, ...inTenant }] : []),
    ...(all ? [{ scope: 'global' as const }] : []),
  ];
  const [target, another] = targets;
  if (!target || another)
    return usage('say what to end: one of --sid, --user, --client, --tenant-wide, --all');
  if ('sid' in target && except) return usage('--except does not go with --sid');
  if (all && tenant !== undefined) return usage('--all is every tenant: it does not go with --tenant');
  return 'sid' in target || !except ? target : { ...target, except };
}

function describe({ scope, sub, client, tenant, except }: MassRevocation): string {
  const where = tenant === undefined ? '' : ` in tenant ${tenant}`;
  const whose = {
    user: `of user ${sub}${where}`,
    client: `of client ${client}${where}`,
    tenant: tenant === undefined ? "of the API key's tenant" : `of tenant ${tenant}`,
    global: 'of everyone, in every tenant',
  };
  return `every session ${whose[scope]}${except ? ` but ${except.length}` : ''}`;
}

/** @throws CliError when the person does not agree, or nobody is there to ask and so much is at stake */
async function confirm(what: MassRevocation, yes: boolean, ask: Surroundings['ask']): Promise<void> {
  if (yes) return;
  if (ask) {
    const answer = (await ask(`This ends ${describe(what)}. Go on? [y/N] `)).trim().toLowerCase();
    if (answer !== 'y' && answer !== 'yes') throw new CliError('refused', 'nothing was ended');
  } else if (what.scope !== 'user') {
    throw new CliError('usage', `this ends ${describe(what)}: without a terminal to ask on, add --yes`);
  }
}

interface Done {
  readonly revocationId: string;
}

/** What was done; with --wait which nodes know of it, too. */
async function showDone(
  connection: Connection,
  answer: Done,
  options: RevokeOptions,
  surroundings: Surroundings,
  text: () => string,
): Promise<void> {
  const timeoutMs = waitOf(options);
  if (timeoutMs === undefined) return show(surroundings, options, answer, text);
  if (!options.json) surroundings.print(text());
  const wanted = { id: answer.revocationId, tenant: options.tenant, timeoutMs };
  await waitForReceipt(connection, wanted, options, surroundings, (receipt) => ({ ...answer, receipt }));
}

async function revokeOne(sid: string, options: RevokeOptions, surroundings: Surroundings): Promise<void> {
  const { tenant, reason } = options;
  const connection = await findConnection(options, surroundings.env);
  const path = `/v1/sessions/${encodeURIComponent(sid)}${queryOf({ tenant })}`;
  // Ending an ended session changes nothing, so this may be repeated as it is.
  const answer = (await callUntilKnown(() =>
    callService(connection, 'DELETE', path, reason ? { body: { reason } } : {}),
  )) as Done & { readonly revoked: boolean };
  await showDone(connection, answer, options, surroundings, () =>
    answer.revoked ? `ended session ${sid}` : `session ${sid} had ended before`,
  );
}

async function revokeAll(
  what: MassRevocation,
  options: RevokeOptions,
  surroundings: Surroundings,
): Promise<void> {
  const connection = await findConnection(options, surroundings.env);
  await confirm(what, options.yes ?? false, surroundings.ask);
  const headers = { 'idempotency-key': randomBytes(32).toString('base64url') };
  const body = { ...what, ...(options.reason ? { reason: options.reason } : {}) };
  const answer = (await callUntilKnown(() =>
    callService(connection, 'POST', '/v1/revocations', { body, headers }),
  )) as MassRevoked;
  await showDone(connection, answer, options, surroundings, () => {
    const { revocationId, epoch, position } = answer;
    return `ended ${describe(what)}\nrevocation ${revocationId}, epoch ${epoch}, position ${position}`;
  });
}

/** Adds `revoke` to the program. */
export function addRevokeCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('revoke')
    .description('end one session, or all of a user, of a client, of a tenant, or of everyone')
    .option('--sid <sid>', 'this session')
    .option('--user <sub>', 'all sessions of this user')
    .option('--client <client>', 'all sessions of this client')
    .option('--tenant-wide', 'all sessions of the tenant')
    .option('--all', 'all sessions of every tenant')
    .option('--tenant <tenant>', 'needed when the API key is bound to several')
    .option('--except <sid...>', 'sessions that are spared; each must be alive')
    .addOption(new Option('--reason <reason>', 'why (default: admin)').choices(CALLER_REASONS))
    .option('--yes', 'do not ask');
  addWaitOptions(command).action(async (_options: unknown, command: Command) => {
    const options = command.optsWithGlobals<RevokeOptions>();
    const target = targetOf(options);
    // Before anything is ended.
    waitOf(options);
    if ('sid' in target) await revokeOne(target.sid, options, surroundings);
    else await revokeAll(target, options, surroundings);
  });
}
