import type { RecordedEvent } from '#application';
import { upcast } from '#contracts';
import { advance, checkpointAt, type Checkpoint, type Claim, type LastEvent } from './checkpoints.js';
import { CheckpointNotInLog, isTransient, OwnershipLost, PoisonEvent } from './failure.js';
import type { ProjectionDefinition } from './projection.js';
import type { ProjectionLog, ProjectionRuntime } from './runtime.js';
import { inTransaction } from './transaction.js';

export type BatchSettings = Readonly<Record<string, string>>;

/**
 * Applies events and moves the checkpoint, in one transaction: both or none. On return `claim` has the new checkpoint.
 * @throws OwnershipLost, CheckpointNotInLog, whatever the projection or the connection throws
 */
async function applyBatch(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  batch: { readonly events: readonly RecordedEvent[]; readonly checkpoint: Checkpoint },
  settings: BatchSettings = {},
): Promise<void> {
  const { events, checkpoint } = batch;
  // Meanwhile, and known before the commit.
  const inLog = requireInLog(runtime.log, claim.checkpoint.last);
  inLog.catch(() => undefined);
  await inTransaction(
    runtime.pool,
    async (client) => {
      await advance(client, claim, checkpoint, events.length);
      try {
        // Here and not in the subscription: an event that cannot be read is blamed like one that cannot be applied.
        if (events.length > 0) await definition.apply(client, claim.version, events.map(upcast));
      } finally {
        // Before any blame on an event: what was applied to a lost tail may well not fit.
        await inLog;
      }
    },
    settings,
  );
  claim.checkpoint = checkpoint;
  runtime.committed(claim.name, claim.version, events.length);
}

/**
 * As `applyBatch`, and when an event cannot be applied, everything before it is kept.
 * @throws PoisonEvent for that event
 */
export async function applyUpToPoison(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  batch: { readonly events: readonly RecordedEvent[]; readonly checkpoint: Checkpoint },
  settings: BatchSettings = {},
): Promise<void> {
  try {
    await applyBatch(runtime, definition, claim, batch, settings);
  } catch (error) {
    if (!blamesEvents(error) || batch.events.length === 0) throw error;
    for (const event of batch.events) {
      const one = { events: [event], checkpoint: checkpointAt(event) };
      try {
        await applyBatch(runtime, definition, claim, one, settings);
      } catch (cause) {
        throw blamesEvents(cause) ? new PoisonEvent(event, cause) : cause;
      }
    }
  }
}

const blamesEvents = (error: unknown): boolean =>
  !isTransient(error) && !(error instanceof OwnershipLost) && !(error instanceof CheckpointNotInLog);

/**
 * A log that lost its tail (a failover without a synchronous standby, a restored backup) gives its positions out again:
 * whoever goes on from a checkpoint in the lost part skips events for ever. Cost: one read of one event.
 * @throws CheckpointNotInLog
 */
export async function requireInLog(log: ProjectionLog, last: LastEvent | null): Promise<void> {
  if (last === null) return;
  const { events } = await log.readStream(last.stream, { from: last.revision, max: 1 });
  const event = events[0];
  if (event?.id !== last.id || event.position !== last.position) throw new CheckpointNotInLog();
}
