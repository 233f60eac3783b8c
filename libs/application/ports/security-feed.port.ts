import type { Position } from './event-log.port.js';

/** One thing that a security team looks at. No secret, no personal data. */
export interface SecurityFeedEntry {
  readonly eventId: string;
  /** The event's type. */
  readonly kind: string;
  /** Recorded-at, ms. */
  readonly at: number;
  readonly position: Position;
  readonly tenant: string;
  readonly sid?: string;
  readonly sub?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface SecurityFeed {
  /**
   * Of one tenant (and of `global` mass revocations), newest first. Errors: ERR_VALIDATION (`cursor`), ERR_UNAVAILABLE.
   */
  list(
    tenant: string,
    page: { limit: number; cursor?: string },
  ): Promise<{ readonly entries: readonly SecurityFeedEntry[]; readonly nextCursor?: string }>;
}
export const SECURITY_FEED = Symbol('SecurityFeed');

export interface HourlyCount {
  /** Begin of the hour (UTC), ms since the epoch. */
  readonly hour: number;
  /** created, rotated, replayed, theft-detected, mass-revoked, expired, or `revoked:` and a reason. */
  readonly name: string;
  readonly count: number;
}

export interface Counters {
  /** Of one tenant, by hour and name. `from` is included, `to` is not (ms). Errors: ERR_UNAVAILABLE. */
  list(tenant: string, from: number, to: number): Promise<readonly HourlyCount[]>;
}
export const COUNTERS = Symbol('Counters');
