import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instantOf } from './instant.js';

const NOON = Date.UTC(2026, 10, 23, 12);

describe('instantOf', () => {
  it.each([
    ['2026-11-23T12:00:00Z', NOON],
    ['2026-11-23t12:00:00z', NOON],
    ['2026-11-23 12:00:00Z', NOON],
    ['2026-11-23T12:00:00.5Z', NOON + 500],
    ['2026-11-23T12:00:00.123999999Z', NOON + 123],
    ['2026-11-23T14:00:00+02:00', NOON],
    ['2026-11-23T14:00:00 02:00', NOON],
    ['2026-11-23T06:30:00-05:30', NOON],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    [String(NOON), NOON],
    ['1970-01-01T00:00:00Z', 0],
  ])('reads %s', (text, ms) => {
    expect(instantOf(text)).toBe(ms);
  });

  it.each([
    ['', 'nothing'],
    ['now', 'a word'],
    ['2026-11-23', 'a day'],
    ['2026-11-23T12:00:00', 'no offset'],
    ['2026-11-23T12:00Z', 'no seconds'],
    ['2026-02-29T00:00:00Z', 'a day that the year does not have'],
    ['2026-13-01T00:00:00Z', 'a thirteenth month'],
    ['2026-00-01T00:00:00Z', 'no month'],
    ['2026-11-23T24:00:00Z', 'a twenty-fifth hour'],
    ['2026-11-23T12:60:00Z', 'a sixtieth minute'],
    ['2026-11-23T12:00:60Z', 'a leap second'],
    ['2026-11-23T12:00:00.Z', 'an empty fraction'],
    ['2026-11-23T12:00:00+24:00', 'an offset of a day'],
    ['1969-12-31T23:59:59Z', 'before the epoch'],
    ['1970-01-01T00:00:00+00:01', 'before the epoch by its offset'],
    ['1800000000', 'seconds'],
    ['0', 'a small number'],
    ['-1', 'a negative number'],
    ['1.8e12', 'a number in another form'],
    ['999999999999999', 'beyond the year 9999'],
    ['9'.repeat(30), 'far beyond'],
    [` ${NOON}`, 'a space before'],
    ['2026-11-23T12:00:00Z\n', 'a line break behind'],
  ])('refuses %j: %s', (text) => {
    expect(instantOf(text)).toBeUndefined();
  });

  it('reads every instant back, in any offset', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true }),
        fc.integer({ min: -1_439, max: 1_439 }),
        (date, minutes) => {
          const ms = date.getTime();
          const shifted = ms + minutes * 60_000;
          fc.pre(shifted >= 0);
          const two = (value: number) => String(value).padStart(2, '0');
          const size = Math.abs(minutes);
          const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
          expect(instantOf(new Date(shifted).toISOString().replace('Z', offset))).toBe(ms);
          expect(instantOf(date.toISOString())).toBe(ms);
        },
      ),
    );
  });

  it('answers any text with an instant within bounds, or none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.stringMatching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?[Z+-](\d\d:\d\d)?$/),
        ),
        (text) => {
          const ms = instantOf(text);
          if (ms === undefined) return;
          expect(Number.isSafeInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
