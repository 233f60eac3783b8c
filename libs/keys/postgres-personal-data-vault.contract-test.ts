import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Pool } from 'pg';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { MasterKey } from './master-key.js';
import { keysMigrations } from './migrations.js';
import { PostgresPersonalDataVault } from './postgres-personal-data-vault.js';

const DEVICE = { ip: '203.0.113.9', userAgent: 'Firefox – größer 角' };
const masterKey = MasterKey.parse(randomBytes(32).toString('base64'));

let database: TestDatabase;
let pool: Pool;
let users = 0;
const newUser = (): string => `user-${++users}`;
const newVault = (): PostgresPersonalDataVault => new PostgresPersonalDataVault(pool, masterKey);
const erase = (sub: string) => pool.query('delete from curfew.user_keys where sub = $1', [sub]);

beforeAll(async () => {
  database = await createDatabase();
  await runMigrations(database.url, keysMigrations);
  pool = openPool(database.url);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('the vault of personal data', () => {
  it('G6: seals so that another instance can unseal, and the box shows nothing', async () => {
    const sub = newUser();
    const sealed = await newVault().seal('default', sub, DEVICE);
    expect(Buffer.from(sealed.box, 'base64url').includes('Firefox')).toBe(false);
    expect(JSON.stringify(sealed)).not.toContain('203.0.113.9');
    expect(await newVault().unseal('default', sub, sealed)).toEqual(DEVICE);
  });

  it('G6: the key of a user is not in the table in the clear', async () => {
    const sub = newUser();
    const sealed = await newVault().seal('default', sub, DEVICE);
    const { rows } = await pool.query<{ sealed: Buffer }>(
      'select sealed from curfew.user_keys where key_id = $1',
      [sealed.keyId],
    );
    const stored = rows[0]?.sealed ?? Buffer.alloc(0);
    const key = masterKey.unseal(['user-key', 'default', sub, sealed.keyId], stored);
    expect(key).toHaveLength(32);
    expect(stored.includes(key ?? '')).toBe(false);
  });

  it('unseals nothing for another user, another tenant, another key or an altered box', async () => {
    const vault = newVault();
    const [sub, other] = [newUser(), newUser()];
    const sealed = await vault.seal('default', sub, DEVICE);
    const foreign = await vault.seal('default', other, DEVICE);
    expect(await vault.unseal('default', other, sealed)).toBeUndefined();
    expect(await vault.unseal('elsewhere', sub, sealed)).toBeUndefined();
    expect(await vault.unseal('default', sub, { ...sealed, keyId: foreign.keyId })).toBeUndefined();
    expect(await vault.unseal('default', sub, { ...sealed, box: foreign.box })).toBeUndefined();
    expect(await vault.unseal('default', sub, { ...sealed, box: '' })).toBeUndefined();
    expect(await vault.unseal('default', sub, { keyId: 'a\0b', box: sealed.box })).toBeUndefined();
  });

  it('G6: a destroyed key opens nothing any more, and a new one does not open the old box', async () => {
    const sub = newUser();
    const sealed = await newVault().seal('default', sub, DEVICE);
    await erase(sub);
    expect(await newVault().unseal('default', sub, sealed)).toBeUndefined();
    const again = await newVault().seal('default', sub, DEVICE);
    expect(again.keyId).not.toBe(sealed.keyId);
    const vault = newVault();
    expect(await vault.unseal('default', sub, again)).toEqual(DEVICE);
    expect(await vault.unseal('default', sub, sealed)).toBeUndefined();
  });

  it('forgets an opened key when its short life is over', async () => {
    const sub = newUser();
    const clock = { now: 0 };
    const vault = new PostgresPersonalDataVault(pool, masterKey, { keyLife: 1_000, now: () => clock.now });
    const sealed = await vault.seal('default', sub, DEVICE);
    await erase(sub);
    clock.now = 999;
    expect(await vault.unseal('default', sub, sealed)).toEqual(DEVICE);
    clock.now = 1_000;
    expect(await vault.unseal('default', sub, sealed)).toBeUndefined();
  });

  it('makes one key a user, whoever asks first: instances and calls at once', async () => {
    const subs = Array.from({ length: 150 }, newUser);
    const vaults = Array.from({ length: 4 }, newVault);
    const sealed = await Promise.all(
      vaults.flatMap((vault, turn) =>
        // In opposite orders, as two instances would meet them.
        (turn % 2 === 0 ? subs : subs.toReversed()).map(async (sub) => ({
          sub,
          keyId: (await vault.seal('default', sub, DEVICE)).keyId,
        })),
      ),
    );
    const pairs = new Set(sealed.map(({ sub, keyId }) => `${sub} ${keyId}`));
    expect(pairs.size).toBe(subs.length);
  });

  it('asks the database once for many calls for a user, and not at all for a user just seen', async () => {
    const query = jest.spyOn(pool, 'query');
    try {
      const vault = newVault();
      const sub = newUser();
      await Promise.all(Array.from({ length: 50 }, () => vault.seal('default', sub, DEVICE)));
      // The first call starts at once; those that come while it runs share the second.
      expect(query.mock.calls.length).toBeLessThanOrEqual(2);
      query.mockClear();
      const sealed = await vault.seal('default', sub, DEVICE);
      await vault.unseal('default', sub, sealed);
      expect(query).not.toHaveBeenCalled();
    } finally {
      query.mockRestore();
    }
  });

  it('refuses text that cannot be stored without failing the calls beside it', async () => {
    const vault = newVault();
    const calls = await Promise.allSettled([
      vault.seal('default', newUser(), DEVICE),
      vault.seal('default', 'a\0b', DEVICE),
      vault.seal('default', 'a\ud800', DEVICE),
      vault.seal('default', newUser(), DEVICE),
    ]);
    expect(calls.map((call) => call.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(calls[1]).toMatchObject({ reason: { code: 'ERR_VALIDATION' } });
  });

  it('says that the store is unavailable when it is, and recovers', async () => {
    const own = openPool(database.url, { max: 1 });
    const vault = new PostgresPersonalDataVault(own, masterKey);
    const query = jest.spyOn(own, 'query').mockImplementation(() => {
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    });
    const sub = newUser();
    await expect(vault.seal('default', sub, DEVICE)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    query.mockRestore();
    const sealed = await vault.seal('default', sub, DEVICE);
    expect(await vault.unseal('default', sub, sealed)).toEqual(DEVICE);
    await own.end();
  });
});
