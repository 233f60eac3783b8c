import type { AccessTokenClaims } from '#contracts';
import { decodeJson } from './access-token.js';
import type { Session } from './curfew.types.js';

/** What of a token is remembered. */
export interface TokenFacts {
  readonly sid: string;
  readonly sub: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly gen: number;
  readonly expiresAt: number;
}

export class AcceptedSession implements Session {
  // Private, so that a session that is logged or serialised shows no token.
  readonly #token: string;
  #claims: AccessTokenClaims | undefined;

  constructor(
    token: string,
    readonly sid: string,
    readonly sub: string,
    readonly tenant: string,
    readonly clientId: string,
    readonly gen: number,
    readonly expiresAt: number,
  ) {
    this.#token = token;
  }

  get claims(): AccessTokenClaims {
    return (this.#claims ??= decodeJson(this.#token.split('.')[1]!) as unknown as AccessTokenClaims);
  }
}
