import type { CallerReason, Initiator, MassRevocationScope, Reason } from './vocabulary.js';

/** The user's device and network, as the caller saw them. Personal data: sealed. */
export interface DeviceInput {
  readonly name?: string;
  /** Cut to 512 characters. */
  readonly userAgent?: string;
  readonly ip?: string;
  readonly place?: string;
}

/** Part of every answer to a write. */
export interface WriteAnswer {
  /** Where the write stands in the log: pass it as `Curfew-At-Least` to a query that must show it. */
  readonly position: string;
  /** Set when a list may not show the write yet. */
  readonly viewPending?: true;
}

/** The answer to create and refresh. Times are seconds since the epoch, as in tokens. */
export interface IssuedSession extends WriteAnswer {
  readonly sid: string;
  readonly refreshToken: string;
  readonly refreshExpiresAt: number;
  /** Absent when the answer is too old, or a replay's first access token has expired: refresh again (DESIGN §4.4, §5). */
  readonly accessToken?: string;
  readonly accessExpiresAt?: number;
  readonly gen: number;
}

/** A session as `get` and `list` answer it. Times are seconds since the epoch. */
export interface SessionInfo {
  readonly sid: string;
  readonly sub: string;
  readonly tenant: string;
  readonly client: string;
  readonly status: 'active' | 'revoked' | 'expired';
  readonly gen: number;
  readonly roles: readonly string[];
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly endedAt?: number;
  readonly endedReason?: Reason;
  readonly endedBy?: Initiator;
  /** In a list that was asked for with `current`: whether it is that session. */
  readonly current?: boolean;
  /** Only for callers with `personal-data:read`. */
  readonly device?: DeviceInput;
}

/** What a session is started with. */
export interface NewSession {
  /** The user id: a pseudonym, not an e-mail address. */
  readonly sub: string;
  /** Needed if the API key is bound to several tenants. */
  readonly tenant?: string;
  readonly client?: string;
  readonly device?: DeviceInput;
  readonly roles?: readonly string[];
  readonly acr?: string;
  readonly amr?: readonly string[];
  /** Seconds since the epoch. */
  readonly authTime?: number;
  /** Custom claims, all under the one claim `claims`. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** A session of the same tenant that ends in the same append (login over an older session). Needs sessions:revoke. */
  readonly replaces?: string;
}

/** Which sessions a mass revocation ends. */
export interface MassRevocation {
  readonly scope: MassRevocationScope;
  /** Needed if the API key is bound to several tenants; not with `global`. */
  readonly tenant?: string;
  /** With `user`. */
  readonly sub?: string;
  /** With `client`. */
  readonly client?: string;
  /** Sids of living sessions of the scope that it spares; at most 32. */
  readonly except?: readonly string[];
  readonly reason?: CallerReason;
  readonly initiator?: Initiator;
}

/** The answer to a mass revocation. */
export interface MassRevoked extends WriteAnswer {
  readonly revocationId: string;
  /** The scope's epoch since. */
  readonly epoch: number;
  /** True when the same Idempotency-Key had done it before: nothing was raised. */
  readonly repeated: boolean;
}
