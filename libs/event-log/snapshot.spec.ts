import { describe, expect, it } from '@jest/globals';
import { BEGINNING, parseCursor, parseSnapshot, showsTransaction, snapshotText, upTo } from './snapshot.js';

describe('a snapshot', () => {
  it.each([
    '1:1:',
    '10:20:',
    '10:20:10,12,19',
    '18446744073709551610:18446744073709551615:18446744073709551612',
  ])('reads and writes %s', (text) => expect(snapshotText(parseSnapshot(text)!)).toBe(text));

  it.each([
    '',
    ':',
    '0:1:',
    '2:1:',
    '1:5:7',
    '3:5:2',
    '1:9:4,4',
    '1:9:5,4',
    '01:2:',
    '1:2:3:',
    '1:2: ',
    '1:2:x',
    '-1:2:',
  ])('takes %j for none', (text) => expect(parseSnapshot(text)).toBeUndefined());

  it('shows what had ended: all below xmin, and up to xmax what was not in progress', () => {
    const snapshot = parseSnapshot('10:14:10,12')!;
    const shown = [9n, 10n, 11n, 12n, 13n, 14n, 15n].filter((tx) => showsTransaction(snapshot, tx));
    expect(shown).toEqual([9n, 11n, 13n]);
    expect(showsTransaction(parseCursor(BEGINNING), 1n)).toBe(false);
    expect(showsTransaction(parseCursor(''), 1n)).toBe(false);
  });

  it('compares beyond the precision of numbers', () => {
    const snapshot = parseSnapshot('9007199254740992:9007199254740994:9007199254740993')!;
    expect(showsTransaction(snapshot, 9007199254740992n)).toBe(true);
    expect(showsTransaction(snapshot, 9007199254740993n)).toBe(false);
  });

  it.each([
    [20n, '10:14:10,12'],
    [13n, '10:14:10,12'],
    [12n, '10:13:10,12'],
    [11n, '10:12:10'],
    [9n, '10:10:'],
    [4n, '5:5:'],
  ])('cut after %s claims nothing of later transactions', (newest, expected) => {
    const cut = upTo(parseSnapshot('10:14:10,12')!, newest);
    expect(snapshotText(cut)).toBe(expected);
    expect(parseSnapshot(expected)).toEqual(cut);
    expect(showsTransaction(cut, newest + 1n)).toBe(false);
  });
});
