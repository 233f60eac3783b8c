import { randomBytes, randomUUID } from 'node:crypto';
import type { EventLog, NewEvent } from '#application';
import { CURRENT_VERSION } from '#contracts';
import {
  encodeRefreshToken,
  FIRST_EPOCHS,
  hashSecret,
  sessionStream,
  userStream,
  type SessionEvent,
  type UserSessionAdmitted,
} from '#domain';
import type { KeyRing } from '#keys';

const DAY_MS = 86_400_000;
/** Between two rotations: 100,000 of them fit into the absolute timeout, and none is in the grace of the next. */
const APART_MS = 70_000;
/** Below what a KurrentDB takes in one append, 1 MiB. */
const BATCH_EVENTS = 1_000;

const TENANT = 'default';
const policy = {
  accessTtl: 300_000,
  idleTimeout: 14 * DAY_MS,
  absoluteTimeout: 90 * DAY_MS,
  reuseGrace: 10_000,
};

export interface RotatedSession {
  readonly sid: string;
  /** Of the last generation: the one that may be presented. */
  readonly refreshToken: string;
}

/**
 * Writes the stream of a session that was rotated `rotations` times, as the service would have written it over the last
 * weeks; the secrets of all generations but the last are unknown to anybody.
 */
export async function seedRotatedSession(
  log: EventLog,
  keys: KeyRing,
  rotations: number,
): Promise<RotatedSession> {
  const sid = randomBytes(16).toString('hex');
  const secret = randomBytes(32);
  const now = Date.now();
  const at = (gen: number): number => now - (rotations + 1 - gen) * APART_MS;
  const hashAt = (gen: number): string => (gen === rotations ? hashSecret(secret) : randomText());
  const sub = `aged-${sid}`;
  const created = seededEvent(createdEvent(sub, keys, hashAt(0), at(0)), at(0));
  await log.append([
    {
      stream: userStream(TENANT, sub),
      expectedRevision: -1,
      events: [
        seededEvent({ type: 'user.session-admitted', data: { sub, tenant: TENANT, sid, left: [] } }, at(0)),
      ],
    },
    { stream: sessionStream(sid), expectedRevision: -1, events: [created] },
  ]);
  for (let first = 1; first <= rotations; first += BATCH_EVENTS) {
    const gens = Array.from({ length: Math.min(BATCH_EVENTS, rotations - first + 1) }, (_, i) => first + i);
    const events = gens.map((gen) => seededEvent(rotatedEvent(gen, keys, hashAt(gen), at(gen)), at(gen)));
    await log.append([{ stream: sessionStream(sid), expectedRevision: first - 1, events }]);
  }
  const { macKeyId } = keys.current;
  const macKey = keys.macKey(macKeyId)!;
  return { sid, refreshToken: encodeRefreshToken({ macKeyId, sid, gen: rotations, secret }, macKey) };
}

/** 32 bytes in base64url: a hash or a salt. */
const randomText = (): string => randomBytes(32).toString('base64url');

const accessExp = (at: number): number => Math.floor(at / 1_000) + 300;

function createdEvent(sub: string, keys: KeyRing, secretHash: string, at: number): SessionEvent {
  return {
    type: 'session.created',
    data: {
      sub,
      tenant: TENANT,
      client: 'default',
      roles: ['member'],
      authTime: Math.floor(at / 1_000),
      policy,
      macKeyId: keys.current.macKeyId,
      secretHash,
      at,
      accessExp: accessExp(at),
      ep: FIRST_EPOCHS,
    },
  };
}

const rotatedEvent = (gen: number, keys: KeyRing, secretHash: string, at: number): SessionEvent => ({
  type: 'session.rotated',
  data: {
    gen,
    secretHash,
    salt: randomText(),
    ...keys.current,
    at,
    supersededAt: at,
    accessExp: accessExp(at),
  },
});

export const seededEvent = ({ type, data }: SessionEvent | UserSessionAdmitted, at: number): NewEvent => ({
  id: randomUUID(),
  type,
  schemaVersion: CURRENT_VERSION[type],
  data,
  metadata: {
    recordedAt: at,
    actor: { kind: 'api-key', id: 'bench' },
    initiator: 'user',
    tenant: TENANT,
    correlationId: randomUUID(),
  },
});
