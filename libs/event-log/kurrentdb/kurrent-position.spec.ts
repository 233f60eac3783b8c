import { describe, expect, it } from '@jest/globals';
import { BEGINNING, isEventPosition, isPosition, parsePosition, toPosition } from './kurrent-position.js';

const at = (n: bigint): string => toPosition({ commit: n, prepare: n });

describe('a position in $all', () => {
  it('is text that compares as the position does', () => {
    const ordered = [0n, 9n, 10n, 99n, 1n << 62n, (1n << 64n) - 1n].map(at);
    expect([...ordered].reverse().sort()).toEqual(ordered);
    expect(toPosition({ commit: 2n, prepare: 1n }) < toPosition({ commit: 2n, prepare: 2n })).toBe(true);
  });

  it('gives back what it was made of', () => {
    const position = { commit: 1234n, prepare: 1200n };
    expect(parsePosition(toPosition(position))).toEqual(position);
    expect(parsePosition('')).toEqual({ commit: 0n, prepare: 0n });
    expect('' < BEGINNING).toBe(true);
    expect(['', BEGINNING].map(isPosition)).toEqual([true, true]);
    expect(['', BEGINNING].map(isEventPosition)).toEqual([false, true]);
  });

  it.each(['0', 'nonsense', `${at(1n)}0`, ` ${at(1n)}`, '1/1', '00000000000000000001:0000000000000000001'])(
    'refuses %j',
    (text) => {
      expect([isPosition(text), isEventPosition(text)]).toEqual([false, false]);
      expect(() => parsePosition(text)).toThrow(RangeError);
    },
  );
});
