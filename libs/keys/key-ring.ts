import { randomBytes } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { AccessTokenSigner, RefreshTokenKeys } from '#application';
import { CurfewError, type AccessTokenClaims } from '#contracts';
import { unavailableIfConnection } from '#platform';
import { SigningKey, signAccessToken, verifyAccessToken } from './access-token-keys.js';
import type { MasterKey } from './master-key.js';

type Purpose = 'signing' | 'mac' | 'pepper';

interface KeyRow {
  readonly id: number;
  readonly purpose: Purpose;
  readonly algorithm: string;
  readonly sealed: Buffer;
}

const ALGORITHMS: Readonly<Record<Purpose, string>> = { signing: 'ES256', mac: 'HS256', pepper: 'HS256' };
const PURPOSES = Object.keys(ALGORITHMS) as Purpose[];
const SERVER_KEY_LENGTH = 32;

/** The installation's server keys, opened. The newest of each purpose is used, the older ones still verify. */
export class KeyRing implements AccessTokenSigner, RefreshTokenKeys {
  readonly current: { readonly macKeyId: number; readonly pepperId: number };
  private readonly signing: SigningKey;
  private readonly byHeader: ReadonlyMap<string, SigningKey>;

  private constructor(
    signingKeys: readonly SigningKey[],
    private readonly macKeys: ReadonlyMap<number, Uint8Array>,
    private readonly peppers: ReadonlyMap<number, Uint8Array>,
  ) {
    this.signing = newest(signingKeys);
    this.byHeader = new Map(signingKeys.map((key) => [key.header, key]));
    this.current = { macKeyId: newest([...macKeys.keys()]), pepperId: newest([...peppers.keys()]) };
  }

  /**
   * Reads the keys and makes those that are missing; instances that start at once end up with the same ones. Needs the
   * tables of `keysMigrations`.
   * @throws CurfewError ERR_CONFIG when the keys were sealed under another master key; ERR_UNAVAILABLE
   */
  static async load(pool: Pool, masterKey: MasterKey): Promise<KeyRing> {
    try {
      const present = await selectKeys(pool);
      const rows = isComplete(present) ? present : await completeKeys(pool, masterKey);
      return KeyRing.open(rows, masterKey);
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }

  private static open(rows: readonly KeyRow[], masterKey: MasterKey): KeyRing {
    const opened = (purpose: Purpose): [number, Buffer][] =>
      rows.filter((row) => row.purpose === purpose).map((row) => [row.id, openKey(row, masterKey)]);
    const signingKeys = opened('signing').map(([, pkcs8]) => SigningKey.fromPkcs8(pkcs8));
    return new KeyRing(signingKeys, new Map(opened('mac')), new Map(opened('pepper')));
  }

  sign(claims: AccessTokenClaims): string {
    return signAccessToken(this.signing, claims);
  }

  verify(token: string): AccessTokenClaims | undefined {
    return verifyAccessToken(token, (header) => this.byHeader.get(header));
  }

  jwks(): { readonly keys: readonly Readonly<Record<string, unknown>>[] } {
    return { keys: [...this.byHeader.values()].map((key) => key.jwk) };
  }

  macKey(id: number): Uint8Array | undefined {
    return this.macKeys.get(id);
  }

  pepper(id: number): Uint8Array | undefined {
    return this.peppers.get(id);
  }
}

function newest<T>(oldestFirst: readonly T[]): T {
  const last = oldestFirst.at(-1);
  if (last === undefined) throw new Error('a purpose has no key');
  return last;
}

const isComplete = (rows: readonly KeyRow[]): boolean =>
  PURPOSES.every((purpose) => rows.some((row) => row.purpose === purpose));

async function selectKeys(client: Pool | PoolClient): Promise<KeyRow[]> {
  const { rows } = await client.query<KeyRow>(
    'select id, purpose, algorithm, sealed from curfew.keys order by id',
  );
  return rows;
}

/** Under a lock that lets others read: of several first starts one makes the keys, the others find them. */
async function completeKeys(pool: Pool, masterKey: MasterKey): Promise<readonly KeyRow[]> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('lock table curfew.keys in share row exclusive mode');
    const rows = await selectKeys(client);
    // Before anything is added: a database whose keys this master key cannot open gets no new ones.
    for (const row of rows) openKey(row, masterKey);
    for (const purpose of PURPOSES.filter((wanted) => !rows.some((row) => row.purpose === wanted))) {
      const id = (rows.at(-1)?.id ?? 0) + 1;
      rows.push(await insertKey(client, id, purpose, masterKey));
    }
    await client.query('commit');
    return rows;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function insertKey(
  client: PoolClient,
  id: number,
  purpose: Purpose,
  masterKey: MasterKey,
): Promise<KeyRow> {
  const algorithm = ALGORITHMS[purpose];
  const secret = purpose === 'signing' ? SigningKey.generate() : randomBytes(SERVER_KEY_LENGTH);
  const sealed = masterKey.seal(label({ id, purpose, algorithm }), secret);
  const jwk = purpose === 'signing' ? SigningKey.fromPkcs8(secret).jwk : null;
  await client.query(
    'insert into curfew.keys (id, purpose, algorithm, sealed, public) values ($1, $2, $3, $4, $5)',
    [id, purpose, algorithm, sealed, jwk],
  );
  return { id, purpose, algorithm, sealed };
}

function openKey(row: KeyRow, masterKey: MasterKey): Buffer {
  const secret = masterKey.unseal(label(row), row.sealed);
  if (secret === undefined) {
    throw new CurfewError('ERR_CONFIG', {
      detail:
        `The ${row.purpose} key ${row.id} in the database does not open: CURFEW_MASTER_KEY (embedded: the master key ` +
        'file in the data folder) is not the one that this database was made with, or the database was altered',
    });
  }
  return secret;
}

const label = ({ id, purpose, algorithm }: Omit<KeyRow, 'sealed'>): string[] => [
  'server-key',
  purpose,
  algorithm,
  String(id),
];
