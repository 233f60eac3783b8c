import type {
  CallerReason,
  DeviceInput,
  Initiator,
  IssuedSession,
  MassRevocation,
  MassRevoked,
  NewSession,
  NodeReceipt,
  Receipt,
  SessionInfo,
  WriteAnswer,
} from '#contracts';

export type {
  DeviceInput,
  IssuedSession,
  MassRevocation,
  MassRevoked,
  NewSession,
  NodeReceipt,
  Receipt,
  SessionInfo,
  WriteAnswer,
};

export interface SessionPage {
  readonly sessions: readonly SessionInfo[];
  readonly nextCursor?: string;
}

export interface CreateOptions {
  /** 128 random bits or more, kept until the answer is there: a repeated create ends the session that was not delivered. */
  readonly idempotencyKey?: string;
}

export interface RefreshOptions {
  /** 128 random bits or more, stored beside the token *before* the call: a retry gets the same successor. */
  readonly idempotencyKey?: string;
  readonly device?: DeviceInput;
}

export interface TenantOption {
  /** Needed if the API key is bound to several tenants. */
  readonly tenant?: string;
}

export interface ListOptions extends TenantOption {
  /** 1 to 100; 50 if absent. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  readonly includeEnded?: boolean;
}

export interface RevokeOptions extends TenantOption {
  /** `admin` if absent. */
  readonly reason?: CallerReason;
  /** `admin` if absent. */
  readonly initiator?: Initiator;
  /** For the record, at most 500 characters. Personal data: sealed. */
  readonly note?: string;
}

export interface RevokedSession extends WriteAnswer {
  /** False when it had ended before. */
  readonly revoked: boolean;
  /** For `receipt`: the sid, since a session ends once. */
  readonly revocationId: string;
}

export interface ReceiptOptions extends TenantOption {
  /** Answers when no node is outstanding, or at the deadline with `complete: false`. Default false: at once. */
  readonly wait?: boolean;
  /** Of `wait`: milliseconds, 1 to 60,000. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface RevokeAllOptions {
  /** 128 random bits or more, kept until the answer is there: a repeated call raises nothing and answers as the first. */
  readonly idempotencyKey?: string;
}

/**
 * The service's session calls over REST, 5 s each at most. Queries show every write that this client had an answer to before:
 * they name its position, and the service waits for it, or answers ERR_VIEW_BEHIND with `retryAfter`. Nothing is retried: repeat
 * create, refresh and revokeAll with the same `idempotencyKey`. Errors are `CurfewSdkError` with the service's `code`; ERR_UNAVAILABLE when no answer came, and then the
 * outcome is unknown.
 */
export interface SessionsClient {
  /** Scope `sessions:issue`. */
  create(input: NewSession, options?: CreateOptions): Promise<IssuedSession>;
  /** Scope `sessions:issue`. ERR_TOKEN_REFUSED: the user has to sign in again. */
  refresh(refreshToken: string, options?: RefreshOptions): Promise<IssuedSession>;
  /** Scope `sessions:read`. ERR_NOT_FOUND. */
  get(sid: string, options?: TenantOption): Promise<SessionInfo>;
  /** Newest first. Scope `sessions:read`. */
  listByUser(sub: string, options?: ListOptions): Promise<SessionPage>;
  /** Ends a session for good. Idempotent. Scope `sessions:revoke`. ERR_NOT_FOUND. */
  revoke(sid: string, options?: RevokeOptions): Promise<RevokedSession>;
  /** The same, and it must be this user's session: what a device list calls. */
  revokeOfUser(sub: string, sid: string, options?: RevokeOptions): Promise<RevokedSession>;
  /**
   * Ends all sessions of a user, a client, a tenant or of everyone in the same time, whatever their number. `except` spares
   * living sessions of the scope; one that is not alive refuses the whole call. Scope `scopes:revoke`; for a user,
   * `sessions:revoke` will do.
   */
  revokeAll(revocation: MassRevocation, options?: RevokeAllOptions): Promise<MassRevoked>;
  /**
   * Which nodes have applied a revocation, by the `revocationId` of its answer; as long as it matters, that is for the longest
   * life of an access token and a minute. Scope `sessions:revoke`, `scopes:revoke` or `audit:read`. ERR_NOT_FOUND.
   */
  receipt(revocationId: string, options?: ReceiptOptions): Promise<Receipt>;
}
