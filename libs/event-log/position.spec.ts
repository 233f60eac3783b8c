import { describe, expect, it } from '@jest/globals';
import { isPosition, parsePosition, toPosition } from './position.js';

describe('a position', () => {
  it('orders as text as its transaction and number do', () => {
    const ordered = [
      toPosition('9', '100'),
      toPosition('10', '8'),
      toPosition('10', '11'),
      toPosition('18446744073709551615', '1'),
    ];
    expect([...ordered].sort()).toEqual(ordered);
    expect(ordered.every((position) => position > '')).toBe(true);
  });

  it('parses to plain decimals, since PostgreSQL reads leading zeros as octal', () => {
    expect(parsePosition(toPosition('731', '12'))).toEqual({ tx: '731', number: '12' });
    expect(parsePosition('')).toEqual({ tx: '0', number: '0' });
  });

  it('is known by its look', () => {
    expect([toPosition('731', '12'), ''].map(isPosition)).toEqual([true, true]);
  });

  it.each(['1:2', 'x', `${toPosition('1', '2')} `])('refuses %j', (text) => {
    expect(() => parsePosition(text)).toThrow(RangeError);
    expect(isPosition(text)).toBe(false);
  });
});
