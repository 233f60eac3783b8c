import type { Epochs } from '#domain';

/** What an access token says of its session. */
export interface TokenSession {
  readonly tenant: string;
  readonly sub: string;
  readonly client: string;
  readonly sid: string;
  readonly ep: Epochs;
}

/**
 * This instance's own deny-list and epochs, from its revocation follower. Introspection asks them beside the streams, since the
 * read may have touched a deposed primary (DESIGN §6).
 */
export interface LiveRevocations {
  isRevoked(session: TokenSession): boolean;
  /**
   * Asks for a barrier and resolves when it was answered: `isRevoked` then knows all that was revoked before this call. Callers
   * share barriers. Resolves as well when none was answered in time; never rejects.
   */
  freshen(): Promise<void>;
}
export const LIVE_REVOCATIONS = Symbol('LiveRevocations');
