import type { EndedSession, OpenSession } from './state.js';

export interface Deadline {
  /** Reference time, ms. The session is dead from then on. */
  readonly at: number;
  readonly reason: 'idle' | 'absolute';
}

/** Either timeout ends a session (NIST SP 800-63B-4 §5.2); activity moves only the idle one. */
export function deadlineOf(session: Pick<OpenSession | EndedSession, 'facts' | 'lastActiveAt'>): Deadline {
  const { policy, createdAt } = session.facts;
  const idle = session.lastActiveAt + policy.idleTimeout;
  const absolute = createdAt + policy.absoluteTimeout;
  return idle < absolute ? { at: idle, reason: 'idle' } : { at: absolute, reason: 'absolute' };
}

/** Checked at every use; `session.expired` only puts it on record. */
export const hasExpired = (session: OpenSession, now: number): boolean => now >= deadlineOf(session).at;

/**
 * `exp` of an access token issued at `now`, seconds: never beyond the session's own end, so that expiry needs no message to
 * the nodes.
 */
export function accessExpiry(session: Pick<OpenSession, 'facts' | 'lastActiveAt'>, now: number): number {
  return Math.floor(Math.min(now + session.facts.policy.accessTtl, deadlineOf(session).at) / 1000);
}
