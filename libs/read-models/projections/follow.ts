import { applyUpToPoison, requireInLog } from './apply-batch.js';
import { batchesOf } from './batches.js';
import { checkpointAt, type Claim } from './checkpoints.js';
import type { ProjectionDefinition } from './projection.js';
import type { ProjectionRuntime } from './runtime.js';

const BATCH_EVENTS = 500;
const LINGER_MS = 20;
/** While the log is idle: how often its end is written down, and the checkpoint looked for in it. */
const IDLE_CHECK_MS = 1_000;
/** Effect and checkpoint are lost together if the server dies, and made again. */
const QUICK = { synchronous_commit: 'off' };

/**
 * Follows the log from the claim's checkpoint until `signal` aborts: each batch of events with its checkpoint in one
 * transaction, so that every event has its effect exactly once whatever dies when. Memory: one page of the subscription and
 * one batch.
 */
export async function follow(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  signal: AbortSignal,
): Promise<false> {
  await requireInLog(runtime.log, claim.checkpoint.last);
  const leave = new AbortController();
  const messages = runtime.log.subscribe(claim.checkpoint.position, AbortSignal.any([signal, leave.signal]));
  let checkedAt = performance.now();
  try {
    for await (const { events, position, caughtUp } of batchesOf(messages, BATCH_EVENTS, LINGER_MS)) {
      if (signal.aborted) return false;
      const last = events.at(-1);
      if (last !== undefined) {
        const checkpoint = checkpointAt(last, position);
        await applyUpToPoison(runtime, definition, claim, { events, checkpoint }, QUICK);
      } else if (caughtUp && performance.now() - checkedAt > IDLE_CHECK_MS) {
        await idle(runtime, definition, claim, position);
      } else continue;
      checkedAt = performance.now();
    }
  } finally {
    leave.abort();
  }
  return false;
}

async function idle(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  position: string,
): Promise<void> {
  const { last } = claim.checkpoint;
  if (position <= claim.checkpoint.position) return requireInLog(runtime.log, last);
  await applyUpToPoison(runtime, definition, claim, { events: [], checkpoint: { position, last } });
}
