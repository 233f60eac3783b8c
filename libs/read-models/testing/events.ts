import { randomBytes, randomUUID } from 'node:crypto';
import type { NewEvent, StreamAppend } from '#application';
import { sessionStream, type Epochs, type ScopeRevoked, type SessionEvent } from '#domain';

const secret = (): string => randomBytes(32).toString('base64url');
const VERSIONS: Readonly<Record<string, number>> = { 'session.created': 2, 'session.rotated': 2 };

type DataOf<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>['data'];

export function anEvent(
  { type, data }: SessionEvent | ScopeRevoked,
  metadata: Partial<NewEvent['metadata']> = {},
): NewEvent {
  return {
    id: randomUUID(),
    type,
    schemaVersion: VERSIONS[type] ?? 1,
    data,
    metadata: {
      recordedAt: 1_700_000_000_000,
      actor: { kind: 'system', id: 'test' },
      initiator: 'user',
      tenant: 'default',
      correlationId: 'correlation-1',
      ...metadata,
    },
  };
}

export const createdData = (changes: Partial<DataOf<'session.created'>> = {}): DataOf<'session.created'> => ({
  sub: 'user-1',
  tenant: 'default',
  client: 'web',
  roles: ['user', 'ünïcode'],
  authTime: 1,
  policy: { accessTtl: 300_000, idleTimeout: 1_000, absoluteTimeout: 5_000, reuseGrace: 10_000 },
  macKeyId: 1,
  secretHash: secret(),
  at: 10_000,
  accessExp: 9,
  ep: [0, 0, 0, 0],
  ...changes,
});

export const rotatedData = (
  gen: number,
  at: number,
  changes: Partial<DataOf<'session.rotated'>> = {},
): DataOf<'session.rotated'> => ({
  gen,
  secretHash: secret(),
  salt: secret(),
  pepperId: 1,
  macKeyId: 1,
  at,
  supersededAt: at,
  accessExp: 9,
  ...changes,
});

export const created = (sub: string, at: number, tenant = 'default', ep: Epochs = [0, 0, 0, 0]): NewEvent =>
  anEvent(
    {
      type: 'session.created',
      data: createdData({ sub, at, tenant, ep, device: { keyId: 'k', box: `of ${at}` } }),
    },
    { tenant, recordedAt: at },
  );

export const rotated = (
  gen: number,
  at: number,
  changes: Partial<DataOf<'session.rotated'>> = {},
): NewEvent => anEvent({ type: 'session.rotated', data: rotatedData(gen, at, changes) }, { recordedAt: at });

export const revoked = (
  sub: string,
  at: number,
  reason: DataOf<'session.revoked'>['reason'] = 'logout',
  tenant = 'default',
): NewEvent =>
  anEvent(
    { type: 'session.revoked', data: { sub, tenant, reason, initiator: 'user', at } },
    { tenant, recordedAt: at },
  );

export const to = (sid: string, expectedRevision: number, ...events: NewEvent[]): StreamAppend => ({
  stream: sessionStream(sid),
  expectedRevision,
  events,
});
