import type { JSONEventData } from '@kurrent/kurrentdb-client';
import type { EventMetadata, NewEvent, RecordedEvent } from '#application';
import type { Initiator } from '#contracts';
import { toPosition, type AllPosition } from './kurrent-position.js';

/** An event as it was read: what of it Curfew uses. */
export interface KurrentEvent {
  readonly id: string;
  readonly type: string;
  readonly streamId: string;
  readonly revision: bigint;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly position?: AllPosition | undefined;
}

/**
 * Curfew's metadata as KurrentDB takes it in an append to several streams: a flat map of strings. The server may keep others
 * beside them.
 */
interface FlatMetadata {
  readonly schemaVersion: string;
  readonly recordedAt: string;
  readonly actorKind: string;
  readonly actorId: string;
  readonly initiator: string;
  readonly tenant: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly keyId?: string;
}

type FlatEvent = JSONEventData<{
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Record<string, string>;
}>;

export function toKurrentEvent({ id, type, schemaVersion, data, metadata }: NewEvent): FlatEvent {
  const { recordedAt, actor, initiator, tenant, correlationId, causationId, keyId } = metadata;
  return {
    id,
    type,
    contentType: 'application/json',
    data,
    metadata: {
      schemaVersion: schemaVersion.toString(),
      recordedAt: recordedAt.toString(),
      actorKind: actor.kind,
      actorId: actor.id,
      initiator,
      tenant,
      correlationId,
      ...(causationId !== undefined && { causationId }),
      ...(keyId !== undefined && { keyId }),
    },
  };
}

/** @throws Error for an event that Curfew did not write: the store must hold nothing else. */
export function toRecordedEvent(event: KurrentEvent): RecordedEvent {
  const metadata = event.metadata as Partial<FlatMetadata> | undefined;
  if (metadata?.schemaVersion === undefined || metadata.correlationId === undefined) {
    throw new Error(`event ${event.id} was not written by Curfew: it needs a KurrentDB of its own`);
  }
  if (event.position === undefined) throw new Error(`the server told no position of event ${event.id}`);
  return {
    id: event.id,
    type: event.type,
    schemaVersion: Number(metadata.schemaVersion),
    data: event.data as Readonly<Record<string, unknown>>,
    metadata: toMetadata(metadata as FlatMetadata),
    stream: event.streamId,
    revision: Number(event.revision),
    position: toPosition(event.position),
  };
}

function toMetadata(flat: FlatMetadata): EventMetadata {
  const { recordedAt, actorKind, actorId, initiator, tenant, correlationId, causationId, keyId } = flat;
  return {
    recordedAt: Number(recordedAt),
    actor: { kind: actorKind as EventMetadata['actor']['kind'], id: actorId },
    initiator: initiator as Initiator,
    tenant,
    correlationId,
    ...(causationId !== undefined && { causationId }),
    ...(keyId !== undefined && { keyId }),
  };
}
