import type { Pool } from 'pg';
import type { PersonalDataVault } from '#application';
import type { Sealed } from '#domain';
import { ExpiringCache } from './expiring-cache.js';
import type { MasterKey } from './master-key.js';
import { seal, unseal } from './sealing.js';
import { UserKeys, userId, type UserKey } from './user-keys.js';

export interface VaultOptions {
  /** How long an opened key stays in memory, ms: also how long after its destruction it can still be used. 30,000 unless set. */
  readonly keyLife?: number;
  /** Opened keys at most. 10,000 unless set. */
  readonly maxKeys?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/**
 * Seals personal data under a key per user (G6), in the table `curfew.user_keys`; the keys are sealed under the master key.
 * Deleting a user's row destroys the key. Cost: AES alone for a user seen in the last 30 s, else one round trip.
 */
export class PostgresPersonalDataVault implements PersonalDataVault {
  private readonly keys: UserKeys;
  private readonly cache: ExpiringCache<UserKey>;

  constructor(pool: Pool, masterKey: MasterKey, options: VaultOptions = {}) {
    this.keys = new UserKeys(pool, masterKey);
    this.cache = new ExpiringCache({
      maxEntries: options.maxKeys ?? 10_000,
      life: options.keyLife ?? 30_000,
      now: options.now ?? (() => performance.now()),
    });
  }

  async seal(tenant: string, sub: string, value: unknown): Promise<Sealed> {
    const plaintext = Buffer.from(JSON.stringify(value));
    const { keyId, key } = await this.keyToSeal(tenant, sub);
    return { keyId, box: seal(key, label(tenant, sub, keyId), plaintext).toString('base64url') };
  }

  async unseal(tenant: string, sub: string, sealed: Sealed): Promise<unknown> {
    const key = await this.keyToUnseal(tenant, sub, sealed.keyId);
    if (key === undefined) return undefined;
    const box = Buffer.from(sealed.box, 'base64url');
    const plaintext = unseal(key.key, label(tenant, sub, sealed.keyId), box);
    return plaintext && (JSON.parse(plaintext.toString()) as unknown);
  }

  private async keyToSeal(tenant: string, sub: string): Promise<UserKey> {
    const id = userId(tenant, sub);
    const cached = this.cache.get(id);
    if (cached !== undefined) return cached;
    const key = await this.keys.findOrMake(tenant, sub);
    this.cache.set(id, key);
    return key;
  }

  private async keyToUnseal(tenant: string, sub: string, keyId: string): Promise<UserKey | undefined> {
    const id = userId(tenant, sub);
    const cached = this.cache.get(id);
    if (cached?.keyId === keyId) return cached;
    const key = await this.keys.find(tenant, sub, keyId);
    if (key !== undefined) this.cache.set(id, key);
    return key;
  }
}

const label = (tenant: string, sub: string, keyId: string): string[] => ['personal-data', tenant, sub, keyId];
