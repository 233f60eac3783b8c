import type { Initiator, Reason } from '../session/ending.js';
import type { ScopeKind } from './scope.js';

/** Ends every session of a scope whose epoch is lower, in one event (G5). */
export interface ScopeRevoked {
  readonly type: 'scope.revoked';
  readonly data: {
    /** UUID: what the caller, receipts and the audit call it by. */
    readonly revocationId: string;
    readonly kind: ScopeKind;
    /** Absent for `global`. */
    readonly tenant?: string;
    /** Of a user. */
    readonly sub?: string;
    /** Of a client. */
    readonly client?: string;
    /** The scope's new epoch. */
    readonly epoch: number;
    /** The whole map of the excepted: sid → the epoch from which on it was excepted in every revocation (DESIGN §5). */
    readonly excepted: Readonly<Record<string, number>>;
    readonly reason: Reason;
    readonly initiator: Initiator;
    /** Reference time, ms. */
    readonly at: number;
    /** SHA-256 of the call's Idempotency-Key, base64url. */
    readonly idempotencyKeyHash?: string;
  };
}
