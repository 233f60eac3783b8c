import { describe, expect, it } from '@jest/globals';
import { pageCursor, parsePageCursor } from './page-cursor.js';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a page cursor', () => {
  it('gives back the end of the page', () => {
    const end = { at: 1_700_000_000_000, id: 'ab😀' };
    expect(parsePageCursor(pageCursor(end))).toEqual(end);
    expect(pageCursor(end)).toMatch(/^[\w-]+$/);
  });

  it.each([
    '',
    'x',
    '!!!!',
    encoded(1),
    encoded({}),
    encoded([]),
    encoded([1]),
    encoded(['1', 'a']),
    encoded([1.5, 'a']),
    encoded([1, 'a', 2]),
    encoded([1, 'a\0']),
    encoded([1e300, 'a']),
    `${encoded([1, 'a'])}=`,
    ` ${encoded([1, 'a'])}`,
    encoded([1, 'a'.repeat(2_000)]),
  ])('refuses %j', (cursor) => {
    expect(() => parsePageCursor(cursor)).toThrow(
      expect.objectContaining({ code: 'ERR_VALIDATION', field: 'cursor' }),
    );
  });
});
