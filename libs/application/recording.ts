import { randomUUID } from 'node:crypto';
import type { Initiator } from '#contracts';
import type { Sealed, SessionEvent, UserSessionAdmitted } from '#domain';
import type { CallContext } from './caller.js';
import type { NewEvent } from './ports/event-log.port.js';

const SCHEMA_VERSION = 1;

export interface Recording {
  readonly context: CallContext;
  readonly tenant: string;
  readonly initiator: Initiator;
  /** Reference time as the event is sent, ms. */
  readonly recordedAt: number;
}

/** Dresses a domain event for the log: id, actor, correlation, key id of what is sealed in it. */
export function recorded(event: SessionEvent | UserSessionAdmitted, recording: Recording): NewEvent {
  const { context, tenant, initiator, recordedAt } = recording;
  const keyId = sealedKeyId(event);
  return {
    id: randomUUID(),
    type: event.type,
    schemaVersion: SCHEMA_VERSION,
    data: event.data,
    metadata: {
      recordedAt,
      actor: { kind: 'api-key', id: context.caller.keyId },
      initiator,
      tenant,
      correlationId: context.correlationId,
      ...(keyId === undefined ? {} : { keyId }),
    },
  };
}

function sealedKeyId(event: SessionEvent | UserSessionAdmitted): string | undefined {
  const { device, claims, note } = event.data as { device?: Sealed; claims?: Sealed; note?: Sealed };
  return (device ?? claims ?? note)?.keyId;
}
