/** Why a session ended (DESIGN §5). Maps one to one to CAEP. */
export const REASONS = [
  'logout',
  'user',
  'admin',
  'theft',
  'limit',
  'policy',
  'idle',
  'absolute',
  'account-disabled',
  'credential-changed',
  'scope',
  'context',
  'erased',
] as const;
export type Reason = (typeof REASONS)[number];

/** Reasons that a caller of a revoke may give; the others are the service's own findings. */
export const CALLER_REASONS = [
  'logout',
  'user',
  'admin',
  'policy',
  'account-disabled',
  'credential-changed',
] as const;
export type CallerReason = (typeof CALLER_REASONS)[number];

/** Who ended it. */
export const INITIATORS = ['user', 'admin', 'policy', 'system'] as const;
export type Initiator = (typeof INITIATORS)[number];

/** What an API key may do (DESIGN §9). The default is nothing. */
export const API_KEY_SCOPES = [
  'sessions:issue',
  'tokens:introspect',
  'sessions:read',
  'sessions:revoke',
  'scopes:revoke',
  'revocations:watch',
  'audit:read',
  'personal-data:read',
  'admin',
] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

/** What a mass revocation ends (DESIGN §5), in the order of the claim `ep`. */
export const MASS_REVOCATION_SCOPES = ['user', 'client', 'tenant', 'global'] as const;
export type MassRevocationScope = (typeof MASS_REVOCATION_SCOPES)[number];

interface RevocationFacts {
  readonly reason: Reason;
  readonly initiator: Initiator;
  readonly position: string;
}

/** The end of one session. */
export interface SessionRevocation extends RevocationFacts {
  readonly scope: 'session';
  readonly tenant: string;
  readonly sub: string;
  readonly sid: string;
}

/**
 * The end of all sessions of a scope: alive is who has `ep` ≥ `epoch`, or `ep` ≥ `excepted[sid]`. The message of the highest
 * epoch of a scope takes the place of the others.
 */
export interface ScopeRevocation extends RevocationFacts {
  readonly scope: MassRevocationScope;
  readonly revocationId: string;
  /** '' for `global`. */
  readonly tenant: string;
  /** Of a user; '' otherwise. */
  readonly sub: string;
  /** Of a client; '' otherwise. */
  readonly client: string;
  readonly epoch: number;
  /** sid → from. */
  readonly excepted: Readonly<Record<string, number>>;
}

/** A revocation as nodes get it. Applied by maximum: duplicates, replays and any order are harmless. */
export type RevocationMessage = SessionRevocation | ScopeRevocation;

/** Claims of an access token: RFC 9068 §2.2 and Curfew's own (DESIGN §6). Times are seconds since the epoch. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly client_id: string;
  readonly sid: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly auth_time: number;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly tenant: string;
  readonly roles?: readonly string[];
  readonly gen: number;
  /** Epochs seen, in the order of `MASS_REVOCATION_SCOPES`; absent when all are 0. */
  readonly ep?: readonly [number, number, number, number];
  /** The caller's custom claims, all under this one name. */
  readonly claims?: Readonly<Record<string, unknown>>;
}
