import type { Sealed } from '../sealed.js';
import type { Initiator, Reason } from './ending.js';
import type { SessionEvent } from './events.js';
import { deadlineOf, hasExpired } from './expiry.js';
import type { OpenSession, SessionState } from './state.js';

export interface Revoke {
  /** Reference time, ms. */
  readonly now: number;
  readonly reason: Reason;
  readonly initiator: Initiator;
  readonly note?: Sealed;
}

/** Ends an open session; nothing to do for any other (G1, idempotent). */
export function decideRevoke(state: SessionState, command: Revoke): readonly SessionEvent[] {
  return state.status === 'open' ? [revoked(state, command)] : [];
}

function revoked(session: OpenSession, command: Revoke): SessionEvent {
  const { sub, tenant } = session.facts;
  const { now, reason, initiator, note } = command;
  return {
    type: 'session.revoked',
    data: { sub, tenant, reason, initiator, at: now, ...(note === undefined ? {} : { note }) },
  };
}

/** Puts on record that a session has run out; nothing if it has not. */
export function decideExpire(state: SessionState, now: number): readonly SessionEvent[] {
  if (state.status !== 'open' || !hasExpired(state, now)) return [];
  const { sub, tenant } = state.facts;
  const { at, reason } = deadlineOf(state);
  return [{ type: 'session.expired', data: { sub, tenant, reason, at } }];
}
