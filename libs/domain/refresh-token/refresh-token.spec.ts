import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  deriveSuccessor,
  encodeRefreshToken,
  hashIdempotencyKey,
  hashSecret,
  isSid,
  readRefreshToken,
} from './refresh-token.js';

interface Vectors {
  readonly macKey: string;
  readonly pepper: string;
  readonly tokens: readonly {
    readonly macKeyId: number;
    readonly sid: string;
    readonly gen: number;
    readonly secret: string;
    readonly token: string;
    readonly secretHash: string;
    readonly salt: string;
    readonly successorSecret: string;
    readonly successorSecretHash: string;
  }[];
  readonly refused: readonly { readonly why: string; readonly token: string }[];
  readonly idempotencyKeys: readonly { readonly key: string; readonly hash: string }[];
}

const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vectors;
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const macKey = hex(vectors.macKey);

const anyToken = fc.record({
  macKeyId: fc.nat(0xffff),
  sid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  gen: fc.nat(0xffffffff),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
});

describe('refresh token', () => {
  it.each(vectors.tokens)('test vector: generation $gen of $sid', (vector) => {
    const { macKeyId, sid, gen } = vector;
    const secret = hex(vector.secret);
    expect(encodeRefreshToken({ macKeyId, sid, gen, secret }, macKey)).toBe(vector.token);
    expect(readRefreshToken(vector.token, () => macKey)).toEqual({ macKeyId, sid, gen, secret });
    expect(hashSecret(secret)).toBe(vector.secretHash);
    const successor = deriveSuccessor(secret, hex(vector.salt), hex(vectors.pepper));
    expect(Buffer.from(successor).toString('hex')).toBe(vector.successorSecret);
    expect(hashSecret(successor)).toBe(vector.successorSecretHash);
  });

  it.each(vectors.refused)('test vector: refused, $why', ({ token }) => {
    expect(readRefreshToken(token, () => macKey)).toBeUndefined();
  });

  it.each(vectors.idempotencyKeys)('test vector: Idempotency-Key $key', ({ key, hash }) => {
    expect(hashIdempotencyKey(key)).toBe(hash);
  });

  it('reads what it encodes', () => {
    fc.assert(
      fc.property(anyToken, (token) => {
        expect(readRefreshToken(encodeRefreshToken(token, macKey), () => macKey)).toEqual(token);
      }),
    );
  });

  it('G4: an altered token is not authentic, whatever is altered', () => {
    fc.assert(
      fc.property(anyToken, fc.nat(), fc.nat(), (token, at, to) => {
        const text = encodeRefreshToken(token, macKey);
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ ';
        const index = at % text.length;
        const altered =
          text.slice(0, index) + (alphabet[to % alphabet.length] ?? 'A') + text.slice(index + 1);
        fc.pre(altered !== text);
        expect(readRefreshToken(altered, () => macKey)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses garbage of any kind, and a token of an unknown or another key', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        expect(readRefreshToken(text, () => macKey)).toBeUndefined();
        expect(readRefreshToken(`cfr_${text}`, () => macKey)).toBeUndefined();
      }),
    );
    const text = vectors.tokens[0]?.token ?? '';
    expect(readRefreshToken(text, () => undefined)).toBeUndefined();
    expect(readRefreshToken(text, () => new Uint8Array(32))).toBeUndefined();
  });

  it('a sid is 32 lower-case hexadecimal digits', () => {
    expect(isSid('0123456789abcdef0123456789abcdef')).toBe(true);
    for (const text of ['', '0123456789ABCDEF0123456789abcdef', `${'0'.repeat(32)}\n`, '0'.repeat(31)]) {
      expect(isSid(text)).toBe(false);
    }
  });
});
