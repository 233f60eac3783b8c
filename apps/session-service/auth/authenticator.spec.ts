import { describe, expect, it, jest } from '@jest/globals';
import type { ApiKeyRecord, ApiKeys } from '#application';
import { CurfewError } from '#contracts';
import { hashApiKeySecret } from '#application';
import { Authenticator } from './authenticator.js';

const KEY = `cfk_${'A'.repeat(43)}`;
const OTHER = `cfk_${'B'.repeat(43)}`;
const record = (fields: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  id: 'key-1',
  name: 'test',
  scopes: ['sessions:issue'],
  tenants: ['default'],
  audiences: ['api'],
  createdAt: 0,
  createdBy: 'system',
  ...fields,
});

function setUp(stored: Map<string, ApiKeyRecord> = new Map([[KEY, record()]])) {
  let now = 0;
  const findByHash = jest.fn<ApiKeys['findByHash']>((hash) =>
    Promise.resolve([...stored].find(([key]) => hashApiKeySecret(key).equals(hash))?.[1]),
  );
  const authenticator = new Authenticator({ findByHash }, () => {
    const from = now;
    return () => now - from;
  });
  return {
    stored,
    findByHash,
    pass: (ms: number) => (now += ms),
    authenticate: (key: string) => authenticator.authenticate(`Bearer ${key}`),
    raw: (header?: string) => authenticator.authenticate(header),
  };
}
const unauthenticated = expect.objectContaining({ code: 'ERR_UNAUTHENTICATED' });

describe('Authenticator', () => {
  it('finds the caller, without what is not its business', async () => {
    const { authenticate } = setUp();
    expect(await authenticate(KEY)).toEqual({
      keyId: 'key-1',
      scopes: ['sessions:issue'],
      tenants: ['default'],
      audiences: ['api'],
    });
  });

  it.each([
    undefined,
    '',
    'Bearer',
    KEY,
    `Basic ${KEY}`,
    `Bearer ${KEY}x`,
    `Bearer ${KEY.slice(0, -1)}`,
    `Bearer ${KEY}, Bearer ${KEY}`,
    `Bearer cfr_${'A'.repeat(43)}`,
  ])('refuses %j without asking the database', async (header) => {
    const { raw, findByHash } = setUp();
    await expect(raw(header)).rejects.toEqual(unauthenticated);
    expect(findByHash).not.toHaveBeenCalled();
  });

  it('asks once a second, and once for concurrent calls', async () => {
    const { authenticate, findByHash, pass } = setUp();
    await Promise.all([authenticate(KEY), authenticate(KEY)]);
    pass(1_000);
    await authenticate(KEY);
    expect(findByHash).toHaveBeenCalledTimes(1);
    pass(1);
    await authenticate(KEY);
    expect(findByHash).toHaveBeenCalledTimes(2);
  });

  it('refuses a revoked key within a second', async () => {
    const { stored, authenticate, pass } = setUp();
    await authenticate(KEY);
    stored.set(KEY, record({ revokedAt: 1 }));
    pass(1_001);
    await expect(authenticate(KEY)).rejects.toEqual(unauthenticated);
  });

  it('remembers an unknown key for a moment only, so that a new one soon works', async () => {
    const { stored, authenticate, findByHash, pass } = setUp();
    await expect(authenticate(OTHER)).rejects.toEqual(unauthenticated);
    await expect(authenticate(OTHER)).rejects.toEqual(unauthenticated);
    expect(findByHash).toHaveBeenCalledTimes(1);
    stored.set(OTHER, record({ id: 'key-2' }));
    pass(251);
    expect((await authenticate(OTHER)).keyId).toBe('key-2');
  });

  it('does not remember a failure of the database, and lets nobody in during one', async () => {
    const { authenticate, findByHash, pass } = setUp();
    await authenticate(KEY);
    pass(1_001);
    findByHash.mockRejectedValueOnce(new CurfewError('ERR_UNAVAILABLE'));
    await expect(authenticate(KEY)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    expect((await authenticate(KEY)).keyId).toBe('key-1');
  });

  it('keeps a bounded number of keys, known or not', async () => {
    const { authenticate, findByHash } = setUp();
    const nth = (i: number) => `cfk_${String(i).padStart(43, '0')}`;
    await authenticate(KEY);
    for (let i = 0; i < 1_500; i++) await expect(authenticate(nth(i))).rejects.toEqual(unauthenticated);
    const before = findByHash.mock.calls.length;
    await authenticate(KEY);
    await expect(authenticate(nth(1_499))).rejects.toEqual(unauthenticated);
    expect(findByHash.mock.calls.length).toBe(before);
    await expect(authenticate(nth(0))).rejects.toEqual(unauthenticated);
    expect(findByHash.mock.calls.length).toBe(before + 1);
  });
});
