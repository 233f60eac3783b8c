import { describe, expect, it } from '@jest/globals';
import { clearingCookies, cookieNames, cookieValues, deliveryCookies } from './cookies.js';
import { factsWith, settingsWith } from './request-facts.double.js';
import { accessTokenOf, refreshTokenOf } from './session-node.double.js';

const SID = '0123456789abcdef0123456789abcdef';
const NOW = Date.UTC(2026, 0, 1);
const names = cookieNames(settingsWith(), factsWith());
const issued = {
  sid: SID,
  refreshToken: refreshTokenOf(SID, 0),
  refreshExpiresAt: NOW / 1000 + 3600,
  accessToken: accessTokenOf({ sid: SID }),
  gen: 0,
  position: '1',
};

describe('cookieValues', () => {
  it.each<[string | undefined, string[]]>([
    [undefined, []],
    ['', []],
    ['a=1', ['1']],
    ['b=0; a=1; c=2', ['1']],
    ['  a = 1 ;b=2', ['1']],
    ['a=1; a=2', ['1', '2']],
    ['a=1; a=1', ['1']],
    ['A=1', []],
    ['xa=1; a-b=2', []],
    ['a', []],
    ['a=', []],
    ['a="1"', []],
    ['a=%31', []],
    ['a=1=2', []],
    ['a=1 2', []],
    ['a=ü; a=1', ['1']],
    ['=a=1', []],
  ])('reads a from %j', (header, values) => {
    expect(cookieValues(header, 'a')).toEqual(values);
  });
});

describe('deliveryCookies', () => {
  it('delivers both as long as the refresh token lives, out of reach of scripts, plain http and other sites', () => {
    const [access, refresh] = deliveryCookies(names, '/session', issued, 'k'.repeat(22), NOW);
    const rest = 'Max-Age=3600; Expires=Thu, 01 Jan 2026 01:00:00 GMT; HttpOnly; SameSite=Lax; Secure';
    expect(access?.header).toBe(`__Host-curfew=${issued.accessToken}; Path=/; ${rest}`);
    expect(refresh?.header).toBe(
      `__Secure-curfew-refresh=${issued.refreshToken}.${'k'.repeat(22)}; Path=/session; ${rest}`,
    );
  });

  it('leaves the access cookie alone when there is no access token', () => {
    const { sid, refreshToken, refreshExpiresAt, gen, position } = issued;
    const late = { sid, refreshToken, refreshExpiresAt, gen, position };
    const cookies = deliveryCookies(names, '/session', late, 'k'.repeat(22), NOW);
    expect(cookies.map(({ name }) => name)).toEqual(['__Secure-curfew-refresh']);
  });

  it('asks for 400 days at most, and never for the past: that would delete', () => {
    const maxAge = (refreshExpiresAt: number) =>
      /Max-Age=(\d+)/.exec(
        deliveryCookies(names, '/s', { ...issued, refreshExpiresAt }, 'k', NOW)[0]?.header ?? '',
      )?.[1];
    expect(maxAge(NOW / 1000 + 10 ** 9)).toBe(String(400 * 86_400));
    expect(maxAge(NOW / 1000 - 5)).toBe('1');
  });

  it('refuses what a browser would drop or read otherwise', () => {
    const deliver = (accessToken: string) => () =>
      deliveryCookies(names, '/s', { ...issued, accessToken }, 'k', NOW);
    expect(deliver('a'.repeat(4096))).toThrow(RangeError);
    expect(deliver('a; Domain=evil.example')).toThrow(RangeError);
  });
});

describe('clearingCookies', () => {
  it('deletes both under the names and paths that they were set with', () => {
    const past = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax; Secure';
    expect(clearingCookies(names, '/session').map(({ header }) => header)).toEqual([
      `__Host-curfew=; Path=/; ${past}`,
      `__Secure-curfew-refresh=; Path=/session; ${past}`,
    ]);
  });
});

describe('cookieNames', () => {
  const loopback = { encrypted: false, host: 'localhost:3000', remoteAddress: '::1', localAddress: '::1' };

  it('are unprefixed only by the switch, over plain http on loopback', () => {
    const on = settingsWith({ insecureLoopback: true });
    expect(cookieNames(on, factsWith(loopback))).toEqual({
      access: 'curfew-loopback',
      refresh: 'curfew-loopback-refresh',
      secure: false,
    });
    expect(cookieNames(settingsWith(), factsWith(loopback))).toBe(names);
    expect(cookieNames(on, factsWith({ ...loopback, encrypted: true }))).toBe(names);
    expect(cookieNames(on, factsWith({ ...loopback, remoteAddress: '192.0.2.1' }))).toBe(names);
    expect(cookieNames(on, factsWith({ ...loopback, host: 'rebound.example' }))).toBe(names);
    expect(cookieNames(on, factsWith({ ...loopback, headers: { 'x-forwarded-for': '192.0.2.1' } }))).toBe(
      names,
    );
  });
});
