/** Personal data sealed under a user's key: AES-256-GCM, base64url of nonce, ciphertext and tag. Opaque to the domain. */
export interface Sealed {
  readonly keyId: string;
  readonly box: string;
}
