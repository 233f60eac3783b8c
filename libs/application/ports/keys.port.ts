import type { AccessTokenClaims } from '#contracts';
import type { Sealed } from '#domain';

/** Signs and checks access tokens with the installation's signing keys. */
export interface AccessTokenSigner {
  /** A compact JWS, `typ: at+jwt` (RFC 9068 §2.1). Cost: one signature, about 20 µs. */
  sign(claims: AccessTokenClaims): string;
  /** The claims of a token of ours whose signature, type and algorithm are right (`exp` is *not* checked), else undefined. */
  verify(token: string): AccessTokenClaims | undefined;
  /** Public keys as a JWK Set (RFC 7517). */
  jwks(): { readonly keys: readonly Readonly<Record<string, unknown>>[] };
}
export const ACCESS_TOKEN_SIGNER = Symbol('AccessTokenSigner');

/** Server keys of refresh tokens (DESIGN §5), by id. Kept for the longest absolute timeout. */
export interface RefreshTokenKeys {
  readonly current: { readonly macKeyId: number; readonly pepperId: number };
  macKey(id: number): Uint8Array | undefined;
  pepper(id: number): Uint8Array | undefined;
}
export const REFRESH_TOKEN_KEYS = Symbol('RefreshTokenKeys');

/** Seals personal data under a key per user (G6). Erasing the user destroys the key. */
export interface PersonalDataVault {
  /** Makes the user's key on first use. `value` is JSON. */
  seal(tenant: string, sub: string, value: unknown): Promise<Sealed>;
  /** Undefined when the key was destroyed. */
  unseal(tenant: string, sub: string, sealed: Sealed): Promise<unknown>;
}
export const PERSONAL_DATA_VAULT = Symbol('PersonalDataVault');
