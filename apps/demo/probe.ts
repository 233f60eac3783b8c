import { performance } from 'node:perf_hooks';
import type { IssuedSession } from '#sdk';
import type { ApiNode } from './node-settings.js';

/** How many further answers of a node must be refusals before its refusal is believed. */
const CONFIRMATIONS = 3;

async function status(node: ApiNode, { accessToken }: IssuedSession): Promise<number> {
  const response = await fetch(`${node.url}/whoami`, {
    headers: { authorization: `Bearer ${accessToken ?? ''}` },
  });
  await response.arrayBuffer();
  return response.status;
}

/** @returns how many of nodes × sessions were accepted. */
export async function verifyOnAll(
  nodes: readonly ApiNode[],
  sessions: readonly IssuedSession[],
): Promise<number> {
  const statuses = await Promise.all(
    nodes.flatMap((node) => sessions.map((session) => status(node, session))),
  );
  return statuses.filter((code) => code === 200).length;
}

/**
 * Asks every node over and over until each has refused, and then some more: a node that accepts again has not refused.
 * @returns milliseconds until the last one's refusal, counted from the call of this function.
 * @throws Error when a node still accepts after `withinMs`, or answers neither 200 nor 401.
 */
export async function untilAllRefuse(
  nodes: readonly ApiNode[],
  session: IssuedSession,
  withinMs: number,
): Promise<number> {
  const begun = performance.now();
  const times = await Promise.all(
    nodes.map(async (node) => {
      let refusedAt = Number.NaN;
      for (let refusals = 0; refusals <= CONFIRMATIONS;) {
        const code = await status(node, session);
        const elapsed = performance.now() - begun;
        if (code === 401) {
          if (refusals === 0) refusedAt = elapsed;
          refusals += 1;
        } else if (code === 200) {
          if (refusals > 0) throw new Error(`${node.name} refused and then accepted again`);
          if (elapsed > withinMs)
            throw new Error(`${node.name} still accepts after ${Math.round(elapsed)} ms`);
        } else {
          throw new Error(`${node.name} answered ${code}`);
        }
      }
      return refusedAt;
    }),
  );
  return Math.max(...times);
}
