import type { Epochs } from '../scope/scope.js';
import type { Sealed } from '../sealed.js';
import type { Initiator, Reason } from './ending.js';
import type { ReplayRule, SecretHash } from './events.js';
import type { ResolvedPolicy } from './policy.js';

/** One generation of the refresh token, as far as the log knows it. */
export interface Generation {
  readonly gen: number;
  readonly secretHash: SecretHash;
  readonly macKeyId: number;
  /** `exp` of the access token that was issued with it, seconds. */
  readonly accessExp: number;
  /** How it was derived from the one before; absent for the first. */
  readonly derivation?: { readonly salt: string; readonly pepperId: number };
  /** Hash of the Idempotency-Key of the rotation that made it. */
  readonly idempotencyKeyHash?: string;
  /** Reference time of the append that superseded it, ms; absent while it is current. */
  readonly supersededAt?: number;
  /** Rules by which it was given out again. */
  readonly replays: readonly ReplayRule[];
}

/** What was fixed at creation. */
export interface SessionFacts {
  readonly sub: string;
  readonly tenant: string;
  readonly client: string;
  readonly roles: readonly string[];
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly authTime: number;
  readonly policy: ResolvedPolicy;
  readonly claims?: Sealed;
  readonly createdAt: number;
}

export interface OpenSession {
  readonly status: 'open';
  readonly facts: SessionFacts;
  readonly lastActiveAt: number;
  readonly device?: Sealed;
  /** The current generation. */
  readonly gen: number;
  /** The epochs that it has seen; whether it is alive by them is not state: see `survivesAll`. */
  readonly ep: Epochs;
  /**
   * Contiguous, up to the current one: the previous generation, and every one that was superseded so recently that a replay
   * may still be asked for. Older ones are read from the log when one is presented, so a state stays small for ever.
   */
  readonly generations: ReadonlyMap<number, Generation>;
}

export interface EndedSession {
  readonly status: 'ended';
  readonly facts: SessionFacts;
  readonly lastActiveAt: number;
  readonly device?: Sealed;
  readonly gen: number;
  readonly ep: Epochs;
  readonly cause: 'revoked' | 'expired';
  readonly reason: Reason;
  readonly initiator: Initiator;
  readonly endedAt: number;
}

/** A session as its events tell it. Whether it is past a timeout is not state: see `expiry`. */
export type SessionState = { readonly status: 'none' } | OpenSession | EndedSession;

export const initialState: SessionState = { status: 'none' };
