import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CurfewError } from '#contracts';
import { seal, unseal, type SealLabel } from './sealing.js';

const LENGTH = 32;
const TEXT = /^[A-Za-z0-9+/_-]{43}=?$/;

/** The key above all others (DESIGN §8). Never printed: neither `toString` nor JSON shows it. */
export class MasterKey {
  readonly #key: KeyObject;

  private constructor(bytes: Uint8Array) {
    this.#key = createSecretKey(bytes);
  }

  /**
   * From base64 or base64url of 32 bytes, as `openssl rand -base64 32` prints it.
   * @param source what to call it in the error: a setting or a file, never its value
   * @throws CurfewError ERR_CONFIG
   */
  static parse(text: string, source = 'CURFEW_MASTER_KEY'): MasterKey {
    const trimmed = text.trim();
    // Node's decoder takes both alphabets, and would skip over characters of neither.
    const bytes = Buffer.from(trimmed, 'base64');
    if (!TEXT.test(trimmed) || bytes.length !== LENGTH) {
      throw new CurfewError('ERR_CONFIG', {
        detail: `${source} has to be 32 bytes in base64 (make one: openssl rand -base64 32)`,
      });
    }
    return new MasterKey(bytes);
  }

  seal(label: SealLabel, plaintext: Uint8Array): Buffer {
    return seal(this.#key, label, plaintext);
  }

  unseal(label: SealLabel, box: Uint8Array): Buffer | undefined {
    return unseal(this.#key, label, box);
  }
}

/**
 * The master key of an embedded start: read from the file, made at the first start (mode 0600). Starts that race agree on
 * one key, and a start that is killed leaves no half of one.
 * @throws CurfewError ERR_CONFIG when the file cannot be used or others may read it
 */
export async function loadOrCreateMasterKeyFile(path: string): Promise<MasterKey> {
  try {
    return MasterKey.parse((await readPrivateFile(path)) ?? (await createKeyFile(path)), path);
  } catch (cause) {
    if (cause instanceof CurfewError) throw cause;
    throw new CurfewError('ERR_CONFIG', { detail: `The master key file ${path} cannot be used`, cause });
  }
}

async function readPrivateFile(path: string): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW = 0 } = constants;
  const handle = await open(path, O_RDONLY | O_NOFOLLOW).catch(undefinedIfMissing);
  if (handle === undefined) return undefined;
  try {
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CurfewError('ERR_CONFIG', {
        detail: `Other users may read the master key file ${path}: chmod 600 it`,
      });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function createKeyFile(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(LENGTH).toString('base64url')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Unlike a rename, a link never replaces the key of another start.
    await link(draft, path).catch(undefinedIfPresent);
  } finally {
    await unlink(draft);
  }
  await syncFolder(dirname(path));
  const text = await readPrivateFile(path);
  if (text === undefined) throw new Error('the file was removed');
  return text;
}

/** A key that an outage could take back would make all that is sealed under it unreadable. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().catch(() => undefined);
  await handle.close();
}

const undefinedIf =
  (code: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== code) throw error;
  };
const undefinedIfMissing = undefinedIf('ENOENT');
const undefinedIfPresent = undefinedIf('EEXIST');
