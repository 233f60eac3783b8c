import { FIRST_EPOCHS, type PerScope } from '../scope/scope.js';
import { initialScopeState, type ScopeState } from '../scope/state.js';
import { evolve } from './evolve.js';
import type { SessionCreated, SessionEvent } from './events.js';
import { initialState, type SessionState } from './state.js';
import type { Refresh } from './decide-refresh.js';

/** Reference time at which the sessions of the specs begin, ms. */
export const START = 1_800_000_000_000;
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

/** A stand-in for the hash of the secret of one generation. */
export const hashOf = (gen: number): string => `hash-${gen}`;

export function sessionCreated(changes: Partial<SessionCreated['data']> = {}): SessionCreated {
  return {
    type: 'session.created',
    data: {
      sub: 'user-1',
      tenant: 'default',
      client: 'default',
      roles: [],
      authTime: START / SECOND,
      policy: {
        accessTtl: 5 * MINUTE,
        idleTimeout: 14 * DAY,
        absoluteTimeout: 90 * DAY,
        reuseGrace: 10 * SECOND,
      },
      macKeyId: 1,
      secretHash: hashOf(0),
      at: START,
      accessExp: START / SECOND + 300,
      ep: FIRST_EPOCHS,
      ...changes,
    },
  };
}

export function rotatedTo(gen: number, at: number, idempotencyKeyHash?: string): SessionEvent {
  return {
    type: 'session.rotated',
    data: {
      gen,
      secretHash: hashOf(gen),
      salt: `salt-${gen}`,
      pepperId: 1,
      macKeyId: 1,
      ...(idempotencyKeyHash === undefined ? {} : { idempotencyKeyHash }),
      at,
      supersededAt: at,
      accessExp: Math.floor((at + 5 * MINUTE) / SECOND),
    },
  };
}

export const revokedBy = (reason: 'logout' | 'theft' | 'admin', at: number): SessionEvent => ({
  type: 'session.revoked',
  data: { sub: 'user-1', tenant: 'default', reason, initiator: 'user', at },
});

export const given = (...events: readonly SessionEvent[]): SessionState =>
  events.reduce(evolve, initialState);

/** No mass revocation so far. */
export const QUIET_SCOPES: PerScope<ScopeState> = [
  initialScopeState,
  initialScopeState,
  initialScopeState,
  initialScopeState,
];

/** Presents generation `gen` at `now`, with the right secret unless `changes` says otherwise. */
export function presenting(gen: number, now: number, changes: Partial<Refresh> = {}): Refresh {
  return {
    now,
    sentAt: now,
    sid: 'sid-1',
    scopes: QUIET_SCOPES,
    presented: { gen, secretHash: hashOf(gen) },
    firstLoadGen: -1,
    successor: { secretHash: hashOf(gen + 1), salt: `salt-${gen + 1}`, pepperId: 1, macKeyId: 1 },
    ...changes,
  };
}
