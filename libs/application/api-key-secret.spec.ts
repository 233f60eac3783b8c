import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hashApiKeySecret, isApiKeySecret, newApiKeySecret } from './api-key-secret.js';

describe('the secret of an API key', () => {
  it('is cfk_ and 256 fresh bits', () => {
    const secrets = Array.from({ length: 100 }, newApiKeySecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(Buffer.from(secret.slice(4), 'base64url')).toHaveLength(32);
    expect(secrets.every(isApiKeySecret)).toBe(true);
  });

  it('is stored as the SHA-256 of its whole text', () => {
    expect(hashApiKeySecret('cfk_x').equals(createHash('sha256').update('cfk_x').digest())).toBe(true);
  });

  it.each([
    '',
    'cfk_',
    `cfr_${'A'.repeat(43)}`,
    `cfk_${'A'.repeat(42)}`,
    `cfk_${'A'.repeat(44)}`,
    `cfk_${'A'.repeat(42)}=`,
    `cfk_${'A'.repeat(43)}\n`,
  ])('%j is none', (text) => {
    expect(isApiKeySecret(text)).toBe(false);
  });
});
