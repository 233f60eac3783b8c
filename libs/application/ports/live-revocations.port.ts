/**
 * This instance's own deny-list, from its revocation follower. Introspection asks it beside the stream, since the read may
 * have touched a deposed primary (DESIGN §6).
 */
export interface LiveRevocations {
  isRevoked(tenant: string, sid: string): boolean;
}
export const LIVE_REVOCATIONS = Symbol('LiveRevocations');
