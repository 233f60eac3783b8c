import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seal, unseal } from './sealing.js';

const newKey = () => createSecretKey(randomBytes(32));
const LABEL = ['user-key', 'default', 'user-1'];

describe('a sealed box', () => {
  it('opens with its key and label', () => {
    const key = newKey();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.string(), { maxLength: 4 }),
        (plain, label) => {
          expect(unseal(key, label, seal(key, label, plain))?.equals(plain)).toBe(true);
        },
      ),
    );
  });

  it('G6: does not show its content, and never looks the same twice', () => {
    const key = newKey();
    const plain = Buffer.from('203.0.113.9, Firefox on Linux');
    const [first, second] = [seal(key, LABEL, plain), seal(key, LABEL, plain)];
    expect(first.includes(plain.subarray(0, 8))).toBe(false);
    expect(first.equals(second)).toBe(false);
  });

  it('does not open with another key', () => {
    expect(unseal(newKey(), LABEL, seal(newKey(), LABEL, Buffer.from('x')))).toBeUndefined();
  });

  it.each([
    ['of another user', ['user-key', 'default', 'user-2']],
    ['of another tenant', ['user-key', 'other', 'user-1']],
    ['for another purpose', ['personal-data', 'default', 'user-1']],
    ['whose parts are split elsewhere', ['user-key', 'defaultuser-1']],
    ['whose parts are joined with separators', ['user-key","default', 'user-1']],
    ['with a part more', [...LABEL, '']],
  ])('does not open under a label %s', (_, label) => {
    const key = newKey();
    expect(unseal(key, label, seal(key, LABEL, Buffer.from('x')))).toBeUndefined();
  });

  it('does not open when any bit was changed or any byte cut off or added', () => {
    const key = newKey();
    const box = seal(key, LABEL, Buffer.from('some personal data'));
    for (let bit = 0; bit < box.length * 8; bit++) {
      const altered = Buffer.from(box);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(unseal(key, LABEL, altered)).toBeUndefined();
    }
    for (let length = 0; length < box.length; length++) {
      expect(unseal(key, LABEL, box.subarray(0, length))).toBeUndefined();
    }
    expect(unseal(key, LABEL, Buffer.concat([box, Buffer.of(0)]))).toBeUndefined();
  });

  it('is the documented format: version, nonce, ciphertext, tag', () => {
    expect(seal(newKey(), LABEL, Buffer.alloc(5))).toHaveLength(1 + 12 + 5 + 16);
    expect(seal(newKey(), LABEL, Buffer.alloc(5))[0]).toBe(1);
  });
});
