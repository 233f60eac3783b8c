import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  chooseRefreshCookie,
  newIdempotencyKey,
  parseRefreshCookie,
  unverifiedClaims,
} from './refresh-cookie.js';
import { accessTokenOf, refreshTokenOf } from './session-node.double.js';

const SID = '0123456789abcdef0123456789abcdef';
const OTHER = 'f'.repeat(32);
const KEY = 'k'.repeat(22);
const access = accessTokenOf({ sid: SID, tenant: 'default' });
const own = `${refreshTokenOf(SID, 3)}.${KEY}`;

describe('parseRefreshCookie', () => {
  it('takes token, key and sid apart', () => {
    expect(parseRefreshCookie(own)).toEqual({ token: refreshTokenOf(SID, 3), key: KEY, sid: SID });
  });

  it.each([
    refreshTokenOf(SID, 3),
    `${refreshTokenOf(SID, 3)}.`,
    `${refreshTokenOf(SID, 3)}.short`,
    `${refreshTokenOf(SID, 3)}.${'k'.repeat(129)}`,
    `${refreshTokenOf(SID, 3)}.${KEY}.${KEY}`,
    `${refreshTokenOf(SID, 3).slice(0, -1)}.${KEY}`,
    `${refreshTokenOf(SID, 3)}A.${KEY}`,
    `cfx_${refreshTokenOf(SID, 3).slice(4)}.${KEY}`,
    `cfr_Ag${refreshTokenOf(SID, 3).slice(6)}.${KEY}`,
    '',
  ])('refuses %j', (value) => {
    expect(parseRefreshCookie(value)).toBeUndefined();
  });
});

describe('newIdempotencyKey', () => {
  it('is 128 bits that fit a refresh cookie, and new each time', () => {
    const keys = Array.from({ length: 100 }, newIdempotencyKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) {
      expect(Buffer.from(key, 'base64url')).toHaveLength(16);
      expect(parseRefreshCookie(`${refreshTokenOf(SID, 0)}.${key}`)?.key).toBe(key);
    }
  });
});

describe('unverifiedClaims', () => {
  it('reads an expired or unsigned token', () => {
    expect(unverifiedClaims(access)).toEqual({ sid: SID, tenant: 'default' });
  });

  it('is undefined for everything else, and never throws', () => {
    const odd = [
      accessTokenOf({}),
      accessTokenOf({ sid: 7 }),
      accessTokenOf({ sid: SID.toUpperCase() }),
      'a.b',
      'a.bnVsbA.c',
      `${access}.x`,
    ];
    for (const token of odd) expect(unverifiedClaims(token)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => unverifiedClaims(text) === undefined));
  });
});

describe('chooseRefreshCookie', () => {
  const planted = `${refreshTokenOf(OTHER, 0)}.${KEY}`;

  it('takes the one with the sid of the access cookie, wherever it stands among planted ones', () => {
    for (const values of [[own], [planted, own], [own, planted], ['garbage', own, planted]]) {
      expect(chooseRefreshCookie([access], values)?.token).toBe(refreshTokenOf(SID, 3));
    }
  });

  it('takes none when two claim the sid: one of them is planted', () => {
    expect(chooseRefreshCookie([access], [own, `${refreshTokenOf(SID, 3, 2)}.${KEY}`])).toBeUndefined();
    expect(
      chooseRefreshCookie([access], [own, `${refreshTokenOf(SID, 3)}.${'j'.repeat(22)}`]),
    ).toBeUndefined();
  });

  it('takes none without exactly one readable access cookie, or for another session', () => {
    expect(chooseRefreshCookie([], [own])).toBeUndefined();
    expect(chooseRefreshCookie(['unreadable'], [own])).toBeUndefined();
    expect(chooseRefreshCookie([access, accessTokenOf({ sid: OTHER })], [own])).toBeUndefined();
    expect(chooseRefreshCookie([accessTokenOf({ sid: OTHER })], [own])).toBeUndefined();
    expect(chooseRefreshCookie([access], [])).toBeUndefined();
  });
});
