import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadOrCreateMasterKeyFile } from './master-key.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curfew-master-key-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const file = (): string => join(folder, 'new', 'master.key');

describe('the master key file', () => {
  it('is made once, for its owner only, and stays the same', async () => {
    const first = await loadOrCreateMasterKeyFile(file());
    const box = first.seal(['x'], Buffer.from('content'));
    expect((await loadOrCreateMasterKeyFile(file())).unseal(['x'], box)?.toString()).toBe('content');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(readFileSync(file(), 'utf8')).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  });

  it('is the same for first starts that race', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateMasterKeyFile(file())));
    const box = keys[0]?.seal(['x'], Buffer.from('content')) ?? Buffer.alloc(0);
    for (const key of keys) expect(key.unseal(['x'], box)?.toString()).toBe('content');
    expect(readdirSync(join(folder, 'new'))).toEqual(['master.key']);
  });

  it.each([
    ['others may read', () => chmodSync(file(), 0o640), /chmod 600/],
    ['is cut short', () => writeFileSync(file(), 'c2hvcnQ='), /32 bytes in base64/],
    ['is empty', () => writeFileSync(file(), ''), /32 bytes in base64/],
    ['is a link', () => (rmSync(file()), symlinkSync('/etc/hostname', file())), /cannot be used/],
  ])('is refused, by name, when it %s', async (_, spoil, says) => {
    await loadOrCreateMasterKeyFile(file());
    spoil();
    const before = statSync(file()).size;
    await expect(loadOrCreateMasterKeyFile(file())).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      detail: expect.stringMatching(says) as unknown,
    });
    await expect(loadOrCreateMasterKeyFile(file())).rejects.toThrow(file());
    expect(statSync(file()).size).toBe(before);
  });
});
