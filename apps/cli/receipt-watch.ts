import { setTimeout as pause } from 'node:timers/promises';
import type { NodeReceipt, Receipt } from '#contracts';
import { CliError, Refused } from './cli-error.js';
import type { Connection } from './connection.js';
import { callService } from './rest.js';
import type { Surroundings } from './surroundings.js';
import { queryOf } from './table.js';

/** One call waits so long; then nodes that have reported meanwhile are shown. */
const LOOK_MS = 300;
const DEFAULT_TIMEOUT_S = 10;
/** A while after this the revocation would be forgotten. */
const MAX_TIMEOUT_S = 600;

export interface ReceiptWanted {
  readonly id: string;
  readonly tenant?: string | undefined;
}

/** @throws CliError for what is no number of seconds within bounds */
export function timeoutOf(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIMEOUT_S : Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_S))
    throw new CliError('usage', `--timeout: seconds, more than 0 and at most ${MAX_TIMEOUT_S}`);
  return seconds * 1_000;
}

/** @param waitMs how long the service may wait for the nodes; absent: it answers at once */
export const getReceipt = async (
  connection: Connection,
  { id, tenant }: ReceiptWanted,
  waitMs?: number,
): Promise<Receipt> => {
  const wait = waitMs === undefined ? {} : { wait: 'all', timeout: String(Math.max(1, Math.ceil(waitMs))) };
  const path = `/v1/revocations/${encodeURIComponent(id)}${queryOf({ tenant, ...wait })}`;
  return (await callService(connection, 'GET', path)) as Receipt;
};

const count = (nodes: readonly NodeReceipt[], state: NodeReceipt['state']): number =>
  nodes.filter((node) => node.state === state).length;

/** `3 nodes: 2 applied, 1 bounded, 0 outstanding` */
export function summarize({ nodes }: Receipt): string {
  const states = (['applied', 'bounded', 'outstanding'] as const).map(
    (state) => `${count(nodes, state)} ${state}`,
  );
  return `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}: ${states.join(', ')}`;
}

interface Watched extends ReceiptWanted {
  readonly timeoutMs: number;
  /** Prints no nodes. */
  readonly silent: boolean;
}

/**
 * Prints nodes as they report, with the milliseconds since this was called, and at the end those that are outstanding.
 * @throws CliError as `callService`; a service that is away for a moment is asked again
 */
export async function watchReceipt(
  connection: Connection,
  watched: Watched,
  { print, pollMs = LOOK_MS }: Surroundings,
): Promise<Receipt> {
  const began = performance.now();
  const shown = new Set<string>();
  const show = ({ nodes }: Receipt, all: boolean): void => {
    const width = Math.max(...nodes.map(({ nodeId }) => nodeId.length));
    const ms = `${Math.round(performance.now() - began)} ms`;
    for (const { nodeId, state } of nodes) {
      const line = `${nodeId}\n${state}`;
      if (shown.has(line) || (state === 'outstanding' && !all) || watched.silent) continue;
      shown.add(line);
      print(`${nodeId.padEnd(width)}  ${state.padEnd('outstanding'.length)}  ${ms}`);
    }
  };
  for (;;) {
    const leftMs = watched.timeoutMs - (performance.now() - began);
    try {
      const receipt = await getReceipt(connection, watched, Math.max(1, Math.min(pollMs, leftMs)));
      const over = receipt.complete || performance.now() - began >= watched.timeoutMs;
      show(receipt, over);
      if (over) return receipt;
    } catch (error) {
      if (!(error instanceof Refused && error.status === 503) || leftMs <= 0) throw error;
      await pause(pollMs);
    }
  }
}
