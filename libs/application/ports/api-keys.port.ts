import type { ApiKeyScope } from '#contracts';

export interface ApiKeyRecord {
  /** Public handle. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  /** Tenants the key is bound to; `*` is every tenant. At least one. */
  readonly tenants: readonly string[];
  /** Audiences whose access tokens the key may introspect; `*` is every audience. */
  readonly audiences: readonly string[];
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt?: number;
}

/** API keys, always in PostgreSQL. Only the SHA-256 of a key is stored. */
export interface ApiKeys {
  insert(record: ApiKeyRecord, sha256: Uint8Array): Promise<void>;
  /** Also finds revoked ones. */
  findByHash(sha256: Uint8Array): Promise<ApiKeyRecord | undefined>;
  list(): Promise<readonly ApiKeyRecord[]>;
  /** False if there is no such key. Idempotent. */
  revoke(id: string, at: number): Promise<boolean>;
  /** Whether any key exists, revoked ones too. */
  any(): Promise<boolean>;
}
export const API_KEYS = Symbol('ApiKeys');
