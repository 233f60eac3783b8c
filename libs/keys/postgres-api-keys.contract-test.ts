import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import type { ApiKeyRecord } from '#application';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { hashApiKeySecret, newApiKeySecret } from '#application';
import { keysMigrations } from './migrations.js';
import { PostgresApiKeys } from './postgres-api-keys.js';

let database: TestDatabase;
let pool: Pool;
let keys: PostgresApiKeys;

beforeAll(async () => {
  database = await createDatabase();
  await runMigrations(database.url, keysMigrations);
  pool = openPool(database.url);
  keys = new PostgresApiKeys(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const record = (id: string, createdAt: number): ApiKeyRecord => ({
  id,
  name: `key "${id}", größe`,
  scopes: ['sessions:issue', 'tokens:introspect'],
  tenants: ['default', 'a,{}"b'],
  audiences: ['*'],
  createdAt,
  createdBy: 'bootstrap',
});

describe('API keys in PostgreSQL', () => {
  it('are found by the hash of their secret, revoked ones too, and G6: only the hash is stored', async () => {
    expect(await keys.any()).toBe(false);
    const secret = newApiKeySecret();
    await keys.insert(record('first', 1_700_000_000_123), hashApiKeySecret(secret));
    expect(await keys.any()).toBe(true);
    expect(await keys.findByHash(hashApiKeySecret(secret))).toEqual(record('first', 1_700_000_000_123));
    expect(await keys.findByHash(hashApiKeySecret(newApiKeySecret()))).toBeUndefined();
    const { rows } = await pool.query('select k::text as stored from curfew.api_keys k');
    expect(JSON.stringify(rows)).not.toContain(secret.slice(4));

    expect(await keys.revoke('first', 5)).toBe(true);
    expect(await keys.revoke('first', 9)).toBe(true);
    expect(await keys.findByHash(hashApiKeySecret(secret))).toMatchObject({ id: 'first', revokedAt: 5 });
    expect(await keys.any()).toBe(true);
  });

  it('are listed oldest first', async () => {
    await keys.insert(record('third', 1_700_000_000_300), hashApiKeySecret('c'));
    await keys.insert(record('second', 1_700_000_000_200), hashApiKeySecret('b'));
    expect((await keys.list()).map(({ id }) => id)).toEqual(['first', 'second', 'third']);
  });

  it('that do not exist cannot be revoked', async () => {
    expect(await keys.revoke('nobody', 1)).toBe(false);
    expect(await keys.revoke('a\0b', 1)).toBe(false);
  });

  it('say that the store is unavailable when it is', async () => {
    const closed = openPool('postgres://nobody:x@127.0.0.1:1/none');
    await expect(new PostgresApiKeys(closed).any()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await closed.end();
  });
});
