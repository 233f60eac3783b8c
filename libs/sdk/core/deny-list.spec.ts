import { describe, expect, it } from '@jest/globals';
import { DenyList } from './deny-list.js';
import { massRevocation, sessionEnd, sessionOf } from './deny-list.double.js';

const TTL = 900_000;
const KEEP = TTL + 60_000;

describe('G2: the deny-list', () => {
  it('knows a session by tenant and id together', () => {
    const list = new DenyList(10, '*');
    list.add(sessionEnd('a', 'bc'));
    expect(list.has(sessionOf({ tenant: 'a', sid: 'bc' }))).toBe(true);
    expect(list.has(sessionOf({ tenant: 'ab', sid: 'c' }))).toBe(false);
    expect(list.has(sessionOf({ tenant: 'b', sid: 'bc' }))).toBe(false);
  });

  it('keeps an entry for maxAccessTtl and 60 s after the first renewal behind it', () => {
    const list = new DenyList(10, '*');
    list.renewed(1_000, TTL);
    list.add(sessionEnd('t', 's'));
    // However long the node was cut off: what it received now is stamped by the next answer.
    list.renewed(50_000_000, TTL);
    list.renewed(50_000_000 + KEEP - 1, TTL);
    expect(list.has(sessionOf({ tenant: 't', sid: 's' }))).toBe(true);
    list.renewed(50_000_000 + KEEP, TTL);
    expect(list.has(sessionOf({ tenant: 't', sid: 's' }))).toBe(false);
    expect(list.size).toBe(0);
  });

  it('goes by the longest maxAccessTtl it ever heard of', () => {
    const list = new DenyList(10, '*');
    list.renewed(0, TTL);
    list.add(sessionEnd('t', 's'));
    list.renewed(1, 1_000);
    list.renewed(KEEP, 1_000);
    expect(list.has(sessionOf({ tenant: 't', sid: 's' }))).toBe(true);
    list.renewed(1 + KEEP, 1_000);
    expect(list.has(sessionOf({ tenant: 't', sid: 's' }))).toBe(false);
  });

  it('keeps everything while reference time stands still', () => {
    const list = new DenyList(10, '*');
    list.add(sessionEnd('t', 's'));
    for (let i = 0; i < 1000; i += 1) list.renewed(5_000, TTL);
    expect(list.has(sessionOf({ tenant: 't', sid: 's' }))).toBe(true);
  });

  it('holds a repeated entry for as long as what arrives now, in the same room', () => {
    const list = new DenyList(1, '*');
    list.add(sessionEnd('t', 's'));
    list.renewed(0, TTL);
    // The first one may have come from a deposed primary: the session lived on, and this is the end that was acknowledged.
    list.add(sessionEnd('t', 's'));
    expect(list.trusted).toBe(true);
    list.renewed(KEEP - 1, TTL);
    list.renewed(2 * KEEP - 2, TTL);
    expect(list.has(sessionOf())).toBe(true);
    list.renewed(2 * KEEP - 1, TTL);
    expect(list.size).toBe(0);
  });

  it('of one epoch that was given out twice spares what both spare', () => {
    const orders = [
      [
        { a: 1, b: 1, c: 2 },
        { b: 3, c: 1 },
      ],
      [
        { b: 3, c: 1 },
        { a: 1, b: 1, c: 2 },
      ],
    ];
    for (const messages of orders) {
      const list = new DenyList(10, '*');
      for (const excepted of messages) {
        const { version } = list;
        list.add(massRevocation('user', 5, excepted));
        expect(list.version).toBeGreaterThan(version);
      }
      const seen = (sid: string, epoch: number) => list.has(sessionOf({ sid, ep: [epoch, 0, 0, 0] }));
      expect([seen('a', 4), seen('b', 2), seen('b', 3), seen('c', 1), seen('c', 2)]).toEqual([
        true,
        true,
        false,
        true,
        false,
      ]);
    }
  });

  it('is not trusted once an entry finds no room, and evicts none for it', () => {
    const list = new DenyList(2, '*');
    list.add(sessionEnd('t', '1'));
    list.add(sessionEnd('t', '2'));
    expect(list.trusted).toBe(true);
    list.add(sessionEnd('t', '3'));
    expect(list.trusted).toBe(false);
    expect([
      list.has(sessionOf({ tenant: 't', sid: '1' })),
      list.has(sessionOf({ tenant: 't', sid: '2' })),
      list.has(sessionOf({ tenant: 't', sid: '3' })),
    ]).toEqual([true, true, false]);
  });

  it('is trusted again when the lost entry would have left as well, not as soon as there is room', () => {
    const list = new DenyList(1, '*');
    list.add(sessionEnd('t', '1'));
    list.renewed(0, TTL);
    list.add(sessionEnd('t', '2'));
    list.renewed(1_000, TTL);
    list.renewed(KEEP, TTL);
    expect([list.size, list.trusted]).toEqual([0, false]);
    list.renewed(KEEP + 1_000, TTL);
    expect(list.trusted).toBe(true);
  });

  it('counts from the last entry that was lost', () => {
    const list = new DenyList(1, '*');
    list.add(sessionEnd('t', '1'));
    list.add(sessionEnd('t', '2'));
    list.renewed(0, TTL);
    list.add(sessionEnd('t', '3'));
    list.renewed(5_000, TTL);
    list.renewed(KEEP, TTL);
    expect(list.trusted).toBe(false);
    list.renewed(KEEP + 5_000, TTL);
    expect(list.trusted).toBe(true);
  });
});
