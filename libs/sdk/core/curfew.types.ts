import type { AccessTokenClaims } from '#contracts';
import type { SessionsClient } from '../http/sessions-client.types.js';
import type { RevocationSource } from './revocation-source.js';

export interface CurfewOptions {
  /** Base URL of the service's REST door, `https://curfew.internal:7400`. A path is kept. */
  readonly service: string;
  /**
   * The service's gRPC door: `http://` (HTTP/2 without TLS) or `https://`. Several, as an array or separated by commas, are
   * used in turn: when one fails, the next is tried.
   */
  readonly watch: string | readonly string[];
  /** Needs the scopes `revocations:watch` and `tokens:introspect`, and those of the `sessions` calls that are used. */
  readonly apiKey: string;
  /** `iss` of accepted tokens, compared exactly. */
  readonly issuer: string;
  /** `aud` of accepted tokens, compared exactly. */
  readonly audience: string;
  /** `tenant` of accepted tokens, compared exactly. `'*'` accepts every tenant. */
  readonly tenant: string;
  /** B of G2, milliseconds: no revoked session is accepted later than this after the revoke returned. 250 to 60,000; 2,000 if absent. */
  readonly stalenessBound?: number;
  /** What `verify` does without a fresh lease: ask the service about each token (default), or refuse with ERR_STALE. */
  readonly onStale?: 'introspect' | 'reject';
  /** Where revocations come from: Watch if absent. Another one is `kafkaRevocations()` of `@curfew/sdk/kafka`. */
  readonly revocations?: RevocationSource;
  /**
   * Names this process in the service's logs and receipts; drawn at random if absent. 1 to 128 visible ASCII characters,
   * not a secret.
   */
  readonly nodeId?: string;
  /** Cached tokens at most, 1,000,000 if absent. A token that was evicted costs a signature check again. */
  readonly maxSessions?: number;
  /**
   * Revocations remembered at most, of sessions and of scopes; 1,000,000 if absent. None is evicted: when there is no room, the node stops deciding from
   * its memory and tells `onDiagnostic`.
   */
  readonly maxRevocations?: number;
  /** Told what operators should know. What it throws is ignored. */
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
}

/**
 * `fresh` / `stale`: the node may decide from its memory; a `verify` found that it may not. `watch-failed`, `kafka-failed`, `jwks-failed`, `introspection-failed`:
 * the call failed and is repeated. `deny-list-full` / `deny-list-recovered`: see `maxRevocations`. `unknown-scope`: the
 * service revoked something that this version does not understand; the node does not trust its memory until all tokens of
 * that time have expired.
 */
export type DiagnosticKind =
  | 'stale'
  | 'fresh'
  | 'watch-failed'
  | 'kafka-failed'
  | 'jwks-failed'
  | 'introspection-failed'
  | 'deny-list-full'
  | 'deny-list-recovered'
  | 'unknown-scope';

export interface Diagnostic {
  readonly kind: DiagnosticKind;
  /** For people. Never a token, a key or personal data. */
  readonly message: string;
}

/** An accepted access token. Times are seconds since the epoch. */
export interface Session {
  readonly sid: string;
  readonly sub: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly gen: number;
  readonly expiresAt: number;
  /** All claims, decoded from the presented token at the first access (about 2 µs). */
  readonly claims: AccessTokenClaims;
}

export interface VerifyOptions {
  /**
   * How late this call may be to hear of a revocation, milliseconds: stricter than `stalenessBound`, 250 up to it. When the node's memory is older, the
   * service is asked about this token (`onStale`). Renewals go out every 500 ms: below about 700 that happens regularly.
   * @default stalenessBound
   */
  readonly maxStaleness?: number;
}

/** Counters are since the start of the node. */
export interface CurfewStats {
  /** Tokens in the cache. Those that a mass revocation ended stay until they are presented or expire. */
  readonly cached: number;
  /** Revocations on the deny-list: sessions, and scopes once each. */
  readonly denied: number;
  readonly hits: number;
  readonly misses: number;
  readonly refused: number;
  /** Cached tokens that a revocation dropped. */
  readonly dropped: number;
  /** Age of what the memory shows: it counts up to `stalenessBound`. Milliseconds; Infinity before the first lease. */
  readonly leaseAgeMs: number;
  /** Where the last renewal came from: `kafka` falls back to `watch`. */
  readonly source: 'watch' | 'kafka' | undefined;
  /** Up to where the log was applied at the last renewal. Opaque; compare for equality only. */
  readonly applied: string | undefined;
  /** Verifications that found no fresh lease, or one that was too old for their `maxStaleness`. */
  readonly stale: number;
  /** Of these: accepted by introspection, refused, and answered with ERR_STALE. */
  readonly staleAccepted: number;
  readonly staleRefused: number;
  readonly staleUnavailable: number;
  /** Calls to `/v1/introspect`. */
  readonly introspections: number;
  /** Watch connections begun. */
  readonly connections: number;
}

export interface Curfew {
  /**
   * Resolves when the node holds its first lease and the signing keys. Keeps the process alive while it waits.
   * @param options.timeoutMs 10,000 if absent.
   * @throws CurfewSdkError ERR_STALE after the timeout or `close`, `detail` says what is missing; ERR_UNAUTHENTICATED or
   * ERR_FORBIDDEN as soon as the service refuses the API key.
   */
  ready(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Accepts an access token, or throws. From memory when the lease is fresh: a look-up, or one signature check for a token
   * that is new to this node. Otherwise `onStale` decides.
   * @throws CurfewSdkError ERR_TOKEN_REFUSED (401), whatever is wrong with the token; ERR_STALE (503) with `retryAfter`;
   * ERR_CONFIG for a `maxStaleness` that is none.
   */
  verify(token: string, options?: VerifyOptions): Promise<Session>;
  /** The service's session calls over REST. */
  readonly sessions: SessionsClient;
  /** Whether the node may decide from its memory now, and for how many milliseconds without another answer (0 if not). */
  lease(): { readonly fresh: boolean; readonly remainingMs: number };
  stats(): CurfewStats;
  /** Ends the stream, timers and calls under way. `verify` refuses with ERR_STALE from then on. Idempotent. */
  close(): Promise<void>;
}
