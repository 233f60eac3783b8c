/** In the user's scope stream, at every create (DESIGN §5). */
export interface UserSessionAdmitted {
  readonly type: 'user.session-admitted';
  readonly data: {
    readonly sub: string;
    readonly tenant: string;
    readonly sid: string;
    /** SHA-256 of the create's Idempotency-Key, base64url. */
    readonly idempotencyKeyHash?: string;
    /** Sids that left the user's slots with this admission, whatever made them dead. */
    readonly left: readonly string[];
  };
}
