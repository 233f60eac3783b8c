import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { openPool, runMigrations } from '#platform';
import { createDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { SigningKey } from './access-token-keys.js';
import { KeyRing } from './key-ring.js';
import { MasterKey } from './master-key.js';
import { keysMigrations } from './migrations.js';

const newMasterKey = (): MasterKey => MasterKey.parse(randomBytes(32).toString('base64'));
const claims = {
  iss: 'https://curfew.example',
  aud: 'api',
  sub: 'user-1',
  client_id: 'default',
  sid: '0197a1b2c3d4e5f60718293a4b5c6d7e',
  jti: 'a',
  iat: 1,
  exp: 2,
  auth_time: 1,
  tenant: 'default',
  gen: 0,
};

let database: TestDatabase;
let pool: Pool;
const masterKey = newMasterKey();

beforeEach(async () => {
  database = await createDatabase();
  await runMigrations(database.url, keysMigrations);
  pool = openPool(database.url);
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const secretsOf = (ring: KeyRing) => ({
  jwks: ring.jwks(),
  current: ring.current,
  mac: ring.macKey(ring.current.macKeyId),
  pepper: ring.pepper(ring.current.pepperId),
});

describe('the key ring', () => {
  it('makes its keys at the first start and keeps them over restarts', async () => {
    const first = await KeyRing.load(pool, masterKey);
    const token = first.sign(claims);
    const second = await KeyRing.load(pool, masterKey);
    expect(secretsOf(second)).toEqual(secretsOf(first));
    expect(second.verify(token)).toEqual(claims);
    expect(first.macKey(first.current.macKeyId)).toHaveLength(32);
    expect(first.pepper(first.current.pepperId)).toHaveLength(32);
    expect(first.jwks().keys).toHaveLength(1);
    expect(first.macKey(999)).toBeUndefined();
    expect(first.pepper(first.current.macKeyId)).toBeUndefined();
  });

  it('is the same for instances that start at once for the first time', async () => {
    const rings = await Promise.all(Array.from({ length: 8 }, () => KeyRing.load(pool, masterKey)));
    for (const ring of rings) expect(secretsOf(ring)).toEqual(secretsOf(rings[0] as KeyRing));
    const { rows } = await pool.query('select purpose from curfew.keys order by purpose');
    expect(rows).toEqual([{ purpose: 'mac' }, { purpose: 'pepper' }, { purpose: 'signing' }]);
  });

  it('refuses another master key, by name, and adds nothing', async () => {
    await KeyRing.load(pool, masterKey);
    const refused = { code: 'ERR_CONFIG', detail: expect.stringContaining('CURFEW_MASTER_KEY') as unknown };
    await expect(KeyRing.load(pool, newMasterKey())).rejects.toMatchObject(refused);
    await pool.query(`delete from curfew.keys where purpose = 'pepper'`);
    await expect(KeyRing.load(pool, newMasterKey())).rejects.toMatchObject(refused);
    expect((await pool.query('select 1 from curfew.keys')).rowCount).toBe(2);
  });

  it('refuses keys that were swapped or relabelled in the database', async () => {
    await KeyRing.load(pool, masterKey);
    await pool.query(`update curfew.keys set purpose = case purpose when 'mac' then 'pepper' else 'mac' end
      where purpose in ('mac', 'pepper')`);
    await expect(KeyRing.load(pool, masterKey)).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  });

  it('verifies with an older signing key and signs with the newest', async () => {
    const first = await KeyRing.load(pool, masterKey);
    const older = first.sign(claims);
    const pkcs8 = SigningKey.generate();
    const sealed = masterKey.seal(['server-key', 'signing', 'ES256', '9'], pkcs8);
    await pool.query(
      `insert into curfew.keys (id, purpose, algorithm, sealed) values (9, 'signing', 'ES256', $1)`,
      [sealed],
    );
    const second = await KeyRing.load(pool, masterKey);
    expect(second.verify(older)).toEqual(claims);
    expect(first.verify(second.sign(claims))).toBeUndefined();
    expect(second.jwks().keys).toHaveLength(2);
  });

  it('G6: the table shows no key', async () => {
    const ring = await KeyRing.load(pool, masterKey);
    const { rows } = await pool.query<Record<string, unknown>>('select * from curfew.keys');
    const stored = Buffer.concat(
      rows.flatMap((row) =>
        Object.values(row).map((value) =>
          Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
        ),
      ),
    );
    const secrets = [ring.macKey(ring.current.macKeyId), ring.pepper(ring.current.pepperId)].map((secret) =>
      Buffer.from(secret ?? []),
    );
    for (const secret of secrets) {
      expect(secret).toHaveLength(32);
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(stored.includes(secret.toString(encoding))).toBe(false);
      }
      expect(stored.includes(secret)).toBe(false);
    }
    // A private EC key in PKCS #8 or as a JWK would show one of these.
    expect(stored.includes(Buffer.from('06082a8648ce3d030107', 'hex'))).toBe(false);
    expect(JSON.stringify(rows.map((row) => row['public']))).not.toContain('"d"');
  });

  it('says that the store is unavailable when it is', async () => {
    const closed = openPool('postgres://nobody:x@127.0.0.1:1/none');
    await expect(KeyRing.load(closed, masterKey)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await closed.end();
  });
});
