import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type { Pool } from 'pg';
import { CurfewError } from '#contracts';
import { isStorableText, unavailableIfConnection } from '#platform';
import type { MasterKey } from './master-key.js';

export interface UserKey {
  readonly keyId: string;
  readonly key: KeyObject;
}

interface UserKeyRow {
  readonly tenant: string;
  readonly sub: string;
  readonly key_id: string;
  readonly sealed: Buffer;
}

interface Wanted {
  readonly tenant: string;
  readonly sub: string;
  readonly resolve: (key: UserKey) => void;
  readonly reject: (error: unknown) => void;
}

const KEY_LENGTH = 32;
/** Users whose keys one statement finds or makes. */
const MAX_BATCH = 100;

/**
 * One statement finds the keys that there are and makes the others. A key that another instance makes meanwhile is in
 * neither part of the answer (its row is newer than the statement's snapshot): those are asked for again.
 */
const FIND_OR_MAKE = `
  with wanted as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as w (tenant, sub, key_id, sealed)
  ), made as (
    insert into curfew.user_keys (tenant, sub, key_id, sealed)
    select tenant, sub, key_id, sealed from wanted
    on conflict (tenant, sub) do nothing
    returning tenant, sub, key_id, sealed
  )
  select tenant, sub, key_id, sealed from made
  union all
  select k.tenant, k.sub, k.key_id, k.sealed from curfew.user_keys k join wanted using (tenant, sub)`;

/** The table of user keys. */
export class UserKeys {
  private readonly waiting = new Map<string, { promise: Promise<UserKey>; wanted: Wanted }>();
  private running = false;

  constructor(
    private readonly pool: Pool,
    private readonly masterKey: MasterKey,
  ) {}

  /**
   * The user's key, made if there is none and then durable. Cost: one round trip, shared by calls that come while another
   * statement runs.
   * @throws CurfewError ERR_UNAVAILABLE; ERR_VALIDATION for text that the database cannot hold
   */
  findOrMake(tenant: string, sub: string): Promise<UserKey> {
    // One such value would fail the whole batch.
    if (!isStorableText(tenant) || !isStorableText(sub)) return Promise.reject(unstorable());
    const id = userId(tenant, sub);
    const waiting = this.waiting.get(id);
    if (waiting !== undefined) return waiting.promise;
    const { promise, resolve, reject } = withResolvers<UserKey>();
    this.waiting.set(id, { promise, wanted: { tenant, sub, resolve, reject } });
    void this.run();
    return promise;
  }

  /** Undefined when there is no such key (any more), or when it does not open. */
  async find(tenant: string, sub: string, keyId: string): Promise<UserKey | undefined> {
    if (![tenant, sub, keyId].every(isStorableText)) return undefined;
    const { rows } = await this.query(
      'select tenant, sub, key_id, sealed from curfew.user_keys where key_id = $1 and tenant = $2 and sub = $3',
      [keyId, tenant, sub],
    );
    return rows[0] && this.open(rows[0]);
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.entries()].slice(0, MAX_BATCH);
      for (const [id] of batch) this.waiting.delete(id);
      await this.settle(batch.map(([, { wanted }]) => wanted));
    }
    this.running = false;
  }

  private async settle(batch: readonly Wanted[]): Promise<void> {
    try {
      let missing: readonly Wanted[] = batch;
      while (missing.length > 0) {
        const rows = await this.findOrMakeAll(missing);
        missing = missing.filter(
          (wanted) => !this.deliver(wanted, rows.get(userId(wanted.tenant, wanted.sub))),
        );
      }
    } catch (error) {
      for (const wanted of batch) wanted.reject(error);
    }
  }

  private deliver(wanted: Wanted, row: UserKeyRow | undefined): boolean {
    if (row === undefined) return false;
    const key = this.open(row);
    if (key === undefined) wanted.reject(new Error(`user key ${row.key_id} does not open`));
    else wanted.resolve(key);
    return true;
  }

  private async findOrMakeAll(users: readonly Wanted[]): Promise<Map<string, UserKeyRow>> {
    // Always in one order: two instances that insert the same users must not wait for each other in a circle.
    const ordered = [...users].sort((a, b) => (userId(a.tenant, a.sub) < userId(b.tenant, b.sub) ? -1 : 1));
    const fresh = ordered.map(({ tenant, sub }) => {
      const keyId = randomBytes(16).toString('base64url');
      return { keyId, sealed: this.masterKey.seal(label(tenant, sub, keyId), randomBytes(KEY_LENGTH)) };
    });
    const { rows } = await this.query(FIND_OR_MAKE, [
      ordered.map((user) => user.tenant),
      ordered.map((user) => user.sub),
      fresh.map((key) => key.keyId),
      fresh.map((key) => key.sealed),
    ]);
    return new Map(rows.map((row) => [userId(row.tenant, row.sub), row]));
  }

  private open(row: UserKeyRow): UserKey | undefined {
    const secret = this.masterKey.unseal(label(row.tenant, row.sub, row.key_id), row.sealed);
    return secret && { keyId: row.key_id, key: createSecretKey(secret) };
  }

  private async query(text: string, values: unknown[]): Promise<{ rows: UserKeyRow[] }> {
    try {
      return await this.pool.query<UserKeyRow>(text, values);
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

/** Injective. */
export const userId = (tenant: string, sub: string): string => JSON.stringify([tenant, sub]);

const label = (tenant: string, sub: string, keyId: string): string[] => ['user-key', tenant, sub, keyId];

const unstorable = (): CurfewError =>
  new CurfewError('ERR_VALIDATION', {
    field: 'sub',
    detail: 'sub or tenant holds characters that cannot be stored',
  });

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}
