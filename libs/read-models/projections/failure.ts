import pg from 'pg';
import type { ProjectionStatus, RecordedEvent } from '#application';
import { isCurfewError } from '#contracts';
import { isConnectionFailure } from '#platform';

export type ProjectionFailure = NonNullable<ProjectionStatus['failure']>;

/** Thrown when a checkpoint is not where this owner left it: somebody else owns the projection. Nothing was written. */
export class OwnershipLost extends Error {
  override readonly name = 'OwnershipLost';
}

/** Thrown when the log does not have the event at the checkpoint: it lost its tail, or is another log. */
export class CheckpointNotInLog extends Error {
  override readonly name = 'CheckpointNotInLog';
  constructor() {
    super(
      'the log does not have the event of the checkpoint (it lost its tail, or is another log): rebuild the projection',
    );
  }
}

/** Thrown for the event that could not be applied. */
export class PoisonEvent extends Error {
  override readonly name = 'PoisonEvent';
  constructor(
    readonly event: RecordedEvent,
    cause: unknown,
  ) {
    super('an event cannot be applied', { cause });
  }
}

/** Whether it may pass by itself. */
export const isTransient = (error: unknown): boolean =>
  isConnectionFailure(error) || isCurfewError(error, 'ERR_UNAVAILABLE');

/** Class and code of an error, without its message: messages of PostgreSQL quote data. */
export function errorClass(error: unknown): string {
  if (error instanceof CheckpointNotInLog) return error.message;
  if (error instanceof pg.DatabaseError) return `SQLSTATE ${error.code ?? 'unknown'}`;
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.constructor.name} ${code}` : error.constructor.name;
}
