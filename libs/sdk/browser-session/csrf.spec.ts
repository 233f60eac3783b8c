import { describe, expect, it } from '@jest/globals';
import { assertSameSite, csrfVerdict, type RequestSource } from './csrf.js';
import { factsWith, settingsWith } from './request-facts.double.js';

const OWN = 'https://app.example';
const LISTED = 'https://partner.example';
const EVIL = 'https://evil.example';
const SIBLING = 'https://shop.app.example';

interface Row extends Partial<RequestSource> {
  readonly allowed: boolean;
}

const rows: Row[] = [
  // Fetch Metadata decides where it is there.
  { site: 'same-origin', origin: OWN, allowed: true },
  { site: 'same-origin', allowed: true },
  { site: 'none', allowed: true },
  { site: 'same-site', origin: SIBLING, allowed: false },
  { site: 'same-site', origin: LISTED, allowed: true },
  { site: 'same-site', allowed: false },
  { site: 'same-site', origin: 'null', allowed: false },
  { site: 'cross-site', origin: EVIL, allowed: false },
  { site: 'cross-site', origin: LISTED, allowed: true },
  { site: 'cross-site', origin: 'null', allowed: false },
  { site: 'cross-site', allowed: false },
  { site: 'cross-site', origin: OWN, allowed: false },
  { site: 'cross-site', referer: `${OWN}/page`, allowed: false },
  { site: 'Same-Origin', origin: EVIL, allowed: false },
  { site: 'same-origin, same-origin', origin: EVIL, allowed: false },
  { site: '', origin: OWN, allowed: false },
  // Origin, where it is not.
  { origin: OWN, allowed: true },
  { origin: LISTED, allowed: true },
  { origin: EVIL, allowed: false },
  { origin: SIBLING, allowed: false },
  { origin: 'http://app.example', allowed: false },
  { origin: 'https://app.example:8443', allowed: false },
  { origin: 'https://app.example.evil.example', allowed: false },
  { origin: `${LISTED}.evil.example`, allowed: false },
  { origin: 'null', allowed: false },
  { origin: 'null', referer: `${OWN}/page`, allowed: false },
  { origin: 'null', ownOrigin: undefined, allowed: false },
  { origin: EVIL, referer: `${OWN}/page`, allowed: false },
  { origin: OWN, ownOrigin: undefined, allowed: false },
  // Referer, where neither is.
  { referer: `${OWN}/page?a=b`, allowed: true },
  { referer: `${LISTED}/`, allowed: true },
  { referer: `${EVIL}/?${OWN}`, allowed: false },
  { referer: `${OWN}.evil.example/`, allowed: false },
  { referer: 'about:blank', allowed: false },
  { referer: 'not a url', allowed: false },
  { referer: 'not a url', withCookies: false, allowed: false },
  // None of the three.
  { allowed: false },
  { withCookies: false, allowed: true },
  { withCookies: false, origin: EVIL, allowed: false },
  { withCookies: false, site: 'cross-site', allowed: false },
];

describe('csrfVerdict', () => {
  it.each(rows)('%j', ({ allowed, ...source }) => {
    const complete = {
      site: undefined,
      origin: undefined,
      referer: undefined,
      ownOrigin: OWN,
      withCookies: true,
      ...source,
    };
    expect(csrfVerdict(complete, new Set([LISTED])).allowed).toBe(allowed);
  });
});

describe('assertSameSite', () => {
  it('names the origin and the setting', () => {
    const facts = factsWith({ method: 'POST', headers: { 'sec-fetch-site': 'same-site', origin: SIBLING } });
    expect(() => assertSameSite(settingsWith(), facts)).toThrow(
      expect.objectContaining({
        code: 'ERR_CSRF',
        status: 403,
        detail: expect.stringMatching(/https:\/\/shop\.app\.example .*same-site.* allowedOrigins/),
      }),
    );
  });

  it('takes the host with its port, and https, for its own origin', () => {
    const post = (origin: string) =>
      factsWith({ method: 'POST', host: 'app.example:8443', headers: { origin } });
    expect(() => assertSameSite(settingsWith(), post('https://app.example:8443'))).not.toThrow();
    expect(() => assertSameSite(settingsWith(), post('https://app.example'))).toThrow();
    expect(() => assertSameSite(settingsWith(), post('http://app.example:8443'))).toThrow();
  });

  it('sees a cookie of ours, and not those of others', () => {
    const post = (cookie: string) => factsWith({ method: 'POST', headers: { cookie } });
    expect(() => assertSameSite(settingsWith(), post('theme=dark; connect.sid=abc'))).not.toThrow();
    expect(() => assertSameSite(settingsWith(), post('theme=dark; __Host-curfew=a.b.c'))).toThrow();
    expect(() => assertSameSite(settingsWith(), post('__Secure-curfew-refresh=a'))).toThrow();
  });
});
