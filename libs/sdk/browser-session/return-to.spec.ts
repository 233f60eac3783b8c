import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkedReturnTo } from './return-to.js';

describe('checkedReturnTo', () => {
  it.each([
    '/',
    '/orders',
    '/orders?page=2&q=a%2Fb%5Cc',
    '/search?next=https://evil.example/',
    '/search?next=//evil.example',
    '/files/a%2Fb.txt',
    '/orders#line-3',
    '/100%25',
    '/sessions-of-mine',
  ])('keeps %j', (path) => {
    expect(checkedReturnTo(path, '/session')).toBe(path);
  });

  it.each([
    undefined,
    null,
    '',
    'orders',
    'https://evil.example/',
    'HTTPS:evil.example',
    'javascript:alert(1)',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/a\\..\\..\\evil',
    '/\t/evil.example',
    '/\n/evil.example',
    '/orders\r\nSet-Cookie: a=b',
    '/orders\0',
    '/orders\u0085',
    ' /orders',
    '/%2fevil.example',
    '/%2F%2Fevil.example',
    '/%5cevil.example',
    '/%255cevil.example',
    '/%252fevil.example',
    '/%25252fevil.example',
    '/%2525252525252fevil.example',
    '/orders%0d%0aSet-Cookie:%20a=b',
    '/orders%00',
    '/orders%5c..',
    '/%zz',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '/session/refresh?return_to=/',
    '/session/logout',
    '/session',
    '/SESSION/refresh',
    '/a/../session/refresh',
    `/${'a'.repeat(2048)}`,
  ])('turns %j into /', (path) => {
    expect(checkedReturnTo(path, '/session')).toBe('/');
  });

  it('writes what is not ASCII in the form that a header can hold', () => {
    expect(checkedReturnTo('/büro?q=ö')).toBe('/b%C3%BCro?q=%C3%B6');
  });

  it('never leaves the origin, whatever it is given', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '//',
      '.',
      '..',
      '%2f',
      '%5c',
      '%25',
      '%09',
      '\t',
      '\n',
      'evil.example',
      ':',
      '@',
      '?',
      '#',
      'a',
    );
    const path = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`),
    );
    fc.assert(
      fc.property(path, (value) => {
        const checked = checkedReturnTo(value);
        expect(checked).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
        expect(new URL(checked, 'https://app.example/deep/page').origin).toBe('https://app.example');
        expect(checkedReturnTo(checked)).toBe(checked);
      }),
      { numRuns: 2000 },
    );
  });
});
