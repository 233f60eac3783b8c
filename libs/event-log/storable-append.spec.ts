import { describe, expect, it } from '@jest/globals';
import { storableJson } from './storable-append.js';

describe('storable JSON', () => {
  it.each(['\0', 'a\0', '\\\0', '\\\\\0', '\ud800', '\udfff', '\udc00\ud800', 'x\ud83d'])(
    'refuses %j',
    (text) => {
      expect(() => storableJson({ text })).toThrow(expect.objectContaining({ code: 'ERR_VALIDATION' }));
      expect(() => storableJson({ [text]: 1 })).toThrow(expect.objectContaining({ code: 'ERR_VALIDATION' }));
    },
  );

  it.each(['\\u0000', '\\\\u0000', '\\ud800', '\u0001', '😀', '\ud83d\ude00', 'u0000', '\ud7ff\ue000'])(
    'takes %j',
    (text) => {
      expect(JSON.parse(storableJson({ text }))).toEqual({ text });
    },
  );
});
