import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { CreateApiKey } from '#application';
import { API_KEY_SCOPES } from '#contracts';
import { makeFirstApiKey } from './first-api-key.js';

let folder: string;
let file: string;
let keys: string[];
const execute = jest.fn((command: CreateApiKey) => {
  const key = `cfk_${keys.push(command.input.name)}`;
  return Promise.resolve({ key });
});
const make = () =>
  makeFirstApiKey(file, { any: () => Promise.resolve(keys.length > 0) }, { execute: execute });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'curfew-first-key-'));
  file = join(folder, 'first-api-key');
  keys = [];
  execute.mockClear();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('makeFirstApiKey', () => {
  it('makes one key with every scope and tenant, for the eyes of this user only', async () => {
    expect(await make()).toBe('cfk_1');
    expect(readFileSync(file, 'utf8')).toBe('cfk_1\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(execute.mock.calls[0]?.[0].input).toMatchObject({ scopes: API_KEY_SCOPES, tenants: ['*'] });
  });

  it('makes none where there is one already, and does not mind that its file is gone', async () => {
    await make();
    rmSync(file);
    expect(await make()).toBeUndefined();
    expect(keys).toHaveLength(1);
  });

  it('makes another one when a start died between the place and the key', async () => {
    execute.mockRejectedValueOnce(new Error('killed'));
    await expect(make()).rejects.toThrow('killed');
    expect(await make()).toBe('cfk_1');
  });

  it('makes another one when a start died between the key and its file', async () => {
    keys.push('lost');
    writeFileSync(file, '', { mode: 0o600 });
    expect(await make()).toBe('cfk_2');
    expect(readFileSync(file, 'utf8')).toBe('cfk_2\n');
  });

  it("leaves a file alone that is not its own, and follows nobody's link", async () => {
    writeFileSync(file, 'precious');
    await expect(make()).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    expect(readFileSync(file, 'utf8')).toBe('precious');
    rmSync(file);
    symlinkSync(join(folder, 'elsewhere'), file);
    await expect(make()).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    expect(keys).toEqual([]);
  });
});
