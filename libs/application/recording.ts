import { randomUUID } from 'node:crypto';
import { CURRENT_VERSION, type Initiator } from '#contracts';
import type { ScopeRevoked, Sealed, SessionEvent, UserSessionAdmitted } from '#domain';
import type { CallContext } from './caller.js';
import type { Actor, NewEvent } from './ports/event-log.port.js';

export type DomainEvent = SessionEvent | UserSessionAdmitted | ScopeRevoked;

export interface Recording {
  readonly actor: Actor;
  readonly correlationId: string;
  readonly tenant: string;
  readonly initiator: Initiator;
  /** Reference time as the event is sent, ms. */
  readonly recordedAt: number;
}

/** Who is behind a call, for the record. */
export const originOf = ({
  caller,
  correlationId,
}: CallContext): Pick<Recording, 'actor' | 'correlationId'> => ({
  actor: { kind: 'api-key', id: caller.keyId },
  correlationId,
});

/** Dresses a domain event for the log: id, actor, correlation, key id of what is sealed in it. */
export function recorded(event: DomainEvent, recording: Recording): NewEvent {
  const { actor, tenant, initiator, recordedAt, correlationId } = recording;
  const keyId = sealedKeyId(event);
  return {
    id: randomUUID(),
    type: event.type,
    schemaVersion: CURRENT_VERSION[event.type],
    data: event.data,
    metadata: {
      recordedAt,
      actor,
      initiator,
      tenant,
      correlationId,
      ...(keyId === undefined ? {} : { keyId }),
    },
  };
}

function sealedKeyId(event: DomainEvent): string | undefined {
  const { device, claims, note } = event.data as { device?: Sealed; claims?: Sealed; note?: Sealed };
  return (device ?? claims ?? note)?.keyId;
}
