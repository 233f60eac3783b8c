import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCurfewError } from '#contracts';
import { parseJson } from './json-text.js';

const refusal = (source: Buffer | string) => {
  try {
    parseJson(source);
  } catch (error) {
    if (isCurfewError(error, 'ERR_MALFORMED_BODY')) return { detail: error.detail, field: error.field };
    throw error;
  }
  return 'accepted';
};

describe('parseJson', () => {
  it('reads any JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"sub":"a","sub":"b"}', 'sub'],
    ['{"sub":"a","sub":"a"}', 'sub'],
    ['{"a":{"b":1,"c":2,"b":3}}', 'b'],
    ['[{"x":[1,2],"y":"}","x":null}]', 'x'],
    ['{"\\u0073ub":1,"sub":2}', 'sub'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{ "a" : "\\"" , "a" : 1 }', 'a'],
  ])('refuses a key named twice: %s', (text, key) => {
    expect(refusal(text)).toEqual({ detail: 'a key is named twice', field: key });
  });

  it.each([
    '{"a":"b","b":"a"}',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":"a"}}}',
    '["a","a"]',
    '{"a":["a","a"]}',
  ])('does not mistake values or other objects for keys: %s', (text) => {
    expect(refusal(text)).toBe('accepted');
  });

  it.each(['', ' ', '{', '{"a":}', "{'a':1}", '{"a":1,}', '\ufeff{}', '{"a":"\n"}', 'NaN', '{}{}'])(
    'refuses what is not JSON: %j',
    (text) => {
      expect(refusal(text)).toEqual({ detail: 'the body is not JSON', field: undefined });
    },
  );

  it('refuses bytes that are not UTF-8', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ detail: 'the body is not UTF-8' });
  });

  it('refuses nesting without end, and does not run out of stack', () => {
    expect(refusal('['.repeat(32) + ']'.repeat(32))).toBe('accepted');
    expect(refusal('['.repeat(33) + ']'.repeat(33))).toMatchObject({
      detail: 'more than 32 levels of nesting',
    });
    expect(refusal('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000))).toMatchObject({
      detail: 'more than 32 levels of nesting',
    });
  });

  it('keeps __proto__ an ordinary key', () => {
    const value = parseJson('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });
});
