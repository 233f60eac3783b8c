import type { ScopeRevoked } from '../scope/events.js';
import type { Epochs } from '../scope/scope.js';
import type { Sealed } from '../sealed.js';
import type { Initiator, Reason } from './ending.js';
import type { ResolvedPolicy } from './policy.js';

/** How the log keeps a refresh token: never the secret, only its SHA-256, base64url. */
export type SecretHash = string;

/** Which rule of DESIGN §5 gave a successor out again. */
export type ReplayRule = 'idempotency-key' | 'grace' | 'first-load';

export interface SessionCreated {
  readonly type: 'session.created';
  readonly data: {
    readonly sub: string;
    readonly tenant: string;
    readonly client: string;
    readonly roles: readonly string[];
    readonly acr?: string;
    readonly amr?: readonly string[];
    /** Seconds since the epoch. */
    readonly authTime: number;
    /** Resolved at creation. */
    readonly policy: ResolvedPolicy;
    readonly macKeyId: number;
    readonly secretHash: SecretHash;
    /** The command's `now`, ms: idle and absolute count from here. */
    readonly at: number;
    /** `exp` of the access token issued with it, seconds. */
    readonly accessExp: number;
    /** The epochs seen: of the session's user, client and tenant, and of all. */
    readonly ep: Epochs;
    /** Network and device (`DeviceInput`), sealed. */
    readonly device?: Sealed;
    /** Custom claims, sealed. */
    readonly claims?: Sealed;
  };
}

export interface SessionRotated {
  readonly type: 'session.rotated';
  readonly data: {
    /** The new generation. */
    readonly gen: number;
    readonly secretHash: SecretHash;
    /** base64url, 32 bytes: `secret(gen) = HMAC(secret(gen - 1), salt ‖ pepper)`. */
    readonly salt: string;
    readonly pepperId: number;
    readonly macKeyId: number;
    /** SHA-256 of the Idempotency-Key that the rotation came with, base64url. */
    readonly idempotencyKeyHash?: string;
    /** The command's `now`, ms: the session was active then. */
    readonly at: number;
    /** When the previous generation was superseded: reference time as the event was sent, ms (DESIGN §5). */
    readonly supersededAt: number;
    readonly accessExp: number;
    /** The epochs adopted; absent when they are those that the session had. */
    readonly ep?: Epochs;
    readonly device?: Sealed;
  };
}

/** The same successor was given out again. Once per rotation and rule. */
export interface SessionRotationReplayed {
  readonly type: 'session.rotation-replayed';
  readonly data: {
    /** The generation that was given out. */
    readonly gen: number;
    /** The generation that was presented. */
    readonly presentedGen: number;
    readonly rule: ReplayRule;
    readonly device?: Sealed;
  };
}

export interface SessionTheftDetected {
  readonly type: 'session.theft-detected';
  readonly data: {
    readonly presentedGen: number;
    readonly currentGen: number;
    /** Of the presenter. */
    readonly device?: Sealed;
  };
}

export interface SessionRevoked {
  readonly type: 'session.revoked';
  readonly data: {
    readonly sub: string;
    readonly tenant: string;
    readonly reason: Reason;
    readonly initiator: Initiator;
    readonly at: number;
    /** `{ note }`, sealed. */
    readonly note?: Sealed;
  };
}

/** For the record: expiry itself is checked at use. */
export interface SessionExpired {
  readonly type: 'session.expired';
  readonly data: {
    readonly sub: string;
    readonly tenant: string;
    readonly reason: 'idle' | 'absolute';
    /** When it expired (not when that was noticed), ms. */
    readonly at: number;
  };
}

export type SessionEvent =
  | SessionCreated
  | SessionRotated
  | SessionRotationReplayed
  | SessionTheftDetected
  | SessionRevoked
  | SessionExpired;

export type SessionEventType = SessionEvent['type'];

/** Events that nodes must hear of. */
export const REVOCATION_EVENT_TYPES = ['session.revoked', 'scope.revoked'] as const satisfies readonly (
  SessionEventType | ScopeRevoked['type']
)[];

/** After one of these nothing follows in the stream (G1). */
export const TERMINAL_EVENT_TYPES = [
  'session.revoked',
  'session.expired',
] as const satisfies readonly SessionEventType[];
