import type { Command } from 'commander';
import type { Receipt } from '#contracts';
import { CliError } from './cli-error.js';
import { findConnection, type Connection } from './connection.js';
import { getReceipt, summarize, timeoutOf, watchReceipt, type ReceiptWanted } from './receipt-watch.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';
import { second, table } from './table.js';

export interface WaitOptions {
  readonly wait?: boolean;
  readonly timeout?: string;
}

interface ReceiptOptions extends GlobalOptions, WaitOptions {
  readonly tenant?: string;
}

/** @throws CliError `usage` for a --timeout without --wait, or out of bounds */
export function waitOf({ wait, timeout }: WaitOptions): number | undefined {
  if (wait) return timeoutOf(timeout);
  if (timeout !== undefined) throw new CliError('usage', '--timeout goes with --wait');
  return undefined;
}

/** Adds the options of what can wait for a receipt. */
export const addWaitOptions = (command: Command): Command =>
  command
    .option(
      '--wait',
      'until every node has applied it or cannot accept any more (exit code 4 at the deadline)',
    )
    .option('--timeout <seconds>', 'of --wait (default: 10)');

const tableOf = (receipt: Receipt): string => {
  const rows = receipt.nodes.map(({ nodeId, state, via, boundMs, lastReportMs }) => [
    nodeId,
    state,
    via,
    boundMs > 0 ? `${boundMs} ms` : '',
    second(lastReportMs),
  ]);
  return `${table(['NODE', 'STATE', 'VIA', 'BOUND', 'LAST REPORT'], rows)}\n\n${summarize(receipt)}`;
};

/**
 * Shows nodes as they report, then a summary. What it waits for has been printed before.
 * @throws CliError `incomplete` when the deadline came first
 */
export async function waitForReceipt(
  connection: Connection,
  wanted: ReceiptWanted & { readonly timeoutMs: number },
  options: GlobalOptions,
  surroundings: Surroundings,
  asJson: (receipt: Receipt) => unknown = (receipt) => receipt,
): Promise<void> {
  const began = performance.now();
  const receipt = await watchReceipt(connection, { ...wanted, silent: options.json ?? false }, surroundings);
  const ms = Math.round(performance.now() - began);
  show(surroundings, options, asJson(receipt), () => `${summarize(receipt)} after ${ms} ms`);
  if (!receipt.complete)
    throw new CliError('incomplete', `not every node has reported; look again: curfew receipt ${wanted.id}`);
}

/** Adds `receipt` to the program. */
export function addReceiptCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('receipt')
    .description('which nodes have applied a revocation')
    .argument('<id>', 'of a mass revocation; of a session its sid')
    .option('--tenant <tenant>', 'needed when the API key is bound to several');
  addWaitOptions(command).action(async (id: string, _options: unknown, command: Command) => {
    const options = command.optsWithGlobals<ReceiptOptions>();
    const timeoutMs = waitOf(options);
    const connection = await findConnection(options, surroundings.env);
    const wanted = { id, tenant: options.tenant };
    if (timeoutMs !== undefined)
      return waitForReceipt(connection, { ...wanted, timeoutMs }, options, surroundings);
    const receipt = await getReceipt(connection, wanted);
    show(surroundings, options, receipt, () => tableOf(receipt));
  });
}
