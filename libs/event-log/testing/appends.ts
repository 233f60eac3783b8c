import { randomUUID } from 'node:crypto';
import type { NewEvent, StreamAppend } from '#application';

const metadata: NewEvent['metadata'] = {
  recordedAt: 1_700_000_000_000,
  actor: { kind: 'system', id: 'test' },
  initiator: 'system',
  tenant: 'default',
  correlationId: 'correlation-1',
};

export const anEvent = (type = 'session.rotated', data: Record<string, unknown> = {}): NewEvent => ({
  id: randomUUID(),
  type,
  schemaVersion: 1,
  data,
  metadata,
});

export const aRevocation = (data: Record<string, unknown> = {}): NewEvent =>
  anEvent('session.revoked', {
    sub: 'user-1',
    tenant: 'default',
    reason: 'user',
    initiator: 'user',
    ...data,
  });

export const append = (
  stream: string,
  expectedRevision: number,
  ...events: readonly NewEvent[]
): StreamAppend => ({ stream, expectedRevision, events });

let streams = 0;
/** A stream name that no other test has. */
export const newStream = (): string => `session-${String(++streams)}-${randomUUID()}`;
