import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { accessTokenOf, refreshTokenOf } from '../browser-session/session-node.double.js';
import { CurfewSdkError } from '../core/error.js';
import type { BrowserDouble } from './browser.double.js';
import { runApp, type RunningApp } from './express-app.double.js';

const ACCESS = '__Host-curfew';
const REFRESH = '__Secure-curfew-refresh';
const POST = { method: 'POST' };
const unavailable = () => new CurfewSdkError('ERR_UNAVAILABLE', 503, 'Not reached', { retryAfter: 3 });
let app: RunningApp;
let browser: BrowserDouble;
beforeEach(async () => {
  app = await runApp();
  browser = await app.signedIn();
});
afterEach(() => app.close());

/** The refresh cookie that the browser holds, as the arguments of the call that has to come of it. */
const held = () => {
  const [token, key] = (browser.value(REFRESH) ?? '').split('.');
  return { token, key };
};
const sidOf = async (of = browser) => (await app.node.verify(of.value(ACCESS) ?? '')).sid;

describe('POST <mount>/refresh', () => {
  it('presents the stored token with the key stored beside it, and delivers the successor with a fresh key', async () => {
    const before = held();
    const answered = await browser.fetch('/session/refresh', POST);
    expect(answered.status).toBe(200);
    expect(answered.headers['cache-control']).toBe('no-store');
    expect(answered.headers.vary).toContain('Sec-Fetch-Site');
    expect(Object.keys(JSON.parse(answered.body) as object)).toEqual([
      'sid',
      'accessExpiresAt',
      'refreshExpiresAt',
    ]);
    const [[token, options]] = app.node.callsOf('refresh') as [[string, object]];
    expect([token, options]).toEqual([
      before.token,
      { idempotencyKey: before.key, device: { ip: '127.0.0.1' } },
    ]);
    expect(held().token).not.toBe(before.token);
    expect(held().key).not.toBe(before.key);
    expect((await browser.fetch('/api/me')).status).toBe(200);
  });

  it('works with an expired access token: only its sid is read', async () => {
    app.node.expireAccessTokens();
    expect((await browser.fetch('/api/me')).status).toBe(401);
    expect((await browser.fetch('/session/refresh', POST)).status).toBe(200);
    expect((await browser.fetch('/api/me')).status).toBe(200);
  });

  it.each([
    ['same-site', 'https://shop.example', 403],
    ['cross-site', 'https://evil.example', 403],
    ['same-origin', undefined, 200],
    ['none', undefined, 200],
    [undefined, 'https://evil.example', 403],
    [undefined, undefined, 403],
  ])('with Sec-Fetch-Site %s and Origin %s answers %s', async (site, origin, status) => {
    const headers = { ...(site && { 'sec-fetch-site': site }), ...(origin && { origin }) };
    const answered = await browser.send('/session/refresh', { method: 'POST', headers });
    expect(answered.status).toBe(status);
    expect(app.node.callsOf('refresh')).toHaveLength(status === 200 ? 1 : 0);
    if (status === 403) expect(answered.setCookies).toEqual([]);
  });

  it('lets an origin of allowedOrigins in', async () => {
    await app.close();
    app = await runApp({ allowedOrigins: ['https://shop.example'] });
    browser = await app.signedIn();
    const headers = { 'sec-fetch-site': 'same-site', origin: 'https://shop.example' };
    expect((await browser.send('/session/refresh', { method: 'POST', headers })).status).toBe(200);
  });

  it('refused: clears both cookies', async () => {
    await app.node.sessions.revoke(await sidOf());
    const answered = await browser.fetch('/session/refresh', POST);
    expect(answered.status).toBe(401);
    expect(answered.headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(answered.body)).toMatchObject({ code: 'ERR_TOKEN_REFUSED', status: 401 });
    expect(answered.setCookies).toHaveLength(2);
    expect(browser.cookies).toEqual([]);
  });

  it('not available: keeps both cookies and says when to come again; the same token and key then work', async () => {
    const before = held();
    app.node.serviceError = unavailable();
    const answered = await browser.fetch('/session/refresh', POST);
    expect([answered.status, answered.headers['retry-after'], answered.setCookies.length]).toEqual([
      503,
      '3',
      0,
    ]);
    expect(held()).toEqual(before);
    app.node.serviceError = undefined;
    expect((await browser.fetch('/session/refresh', POST)).status).toBe(200);
  });

  it('G3: an answer that was lost is given again an hour later, and a second half makes it whole', async () => {
    browser.keepsNoCookies = true;
    await browser.fetch('/session/refresh', POST);
    browser.keepsNoCookies = false;
    app.node.expireAccessTokens();
    const answered = await browser.fetch('/session/refresh', POST);
    expect(answered.trail).toEqual(['POST /session/refresh 307', 'POST /session/refresh?again=1 200']);
    expect((await browser.fetch('/api/me')).status).toBe(200);
    expect(app.node.theftDetected).toBe(false);
  });

  it('G3: loses any answer on that way, and still nothing is taken for theft', async () => {
    for (const losses of [[0], [1], [0, 1], [1, 2], [0, 1, 2, 3]]) {
      app.node.expireAccessTokens();
      let step = 0;
      let url = '/session/refresh';
      for (let turn = 0; turn < 20; turn += 1) {
        app.node.expireAccessTokens();
        browser.keepsNoCookies = losses.includes(step);
        const answered = await browser.send(url, {
          method: 'POST',
          headers: { 'sec-fetch-site': 'same-origin' },
        });
        step += 1;
        url = browser.keepsNoCookies ? '/session/refresh' : (answered.headers.location ?? url);
        if (answered.status === 200 && !browser.keepsNoCookies) break;
      }
      expect(app.node.theftDetected).toBe(false);
      expect((await browser.fetch('/api/me')).status).toBe(200);
    }
  });

  it('does not go round when the service stays slow: 503, and the newest token is kept', async () => {
    app.node.slow = true;
    const answered = await browser.fetch('/session/refresh', POST);
    expect(answered.trail).toEqual(['POST /session/refresh 307', 'POST /session/refresh?again=1 503']);
    expect(answered.headers['retry-after']).toBe('1');
    app.node.slow = false;
    expect((await browser.fetch('/session/refresh', POST)).status).toBe(200);
  });
});

describe('which refresh cookie', () => {
  it('is the one with the sid of the __Host- cookie, beside planted ones', async () => {
    const attacker = await app.signedIn('attacker');
    browser.plant(REFRESH, attacker.value(REFRESH) ?? '', '/');
    browser.plant(REFRESH, 'garbage', '/session');
    expect((await browser.fetch('/session/refresh', POST)).status).toBe(200);
    expect((await browser.fetch('/api/me')).body).toBe('{"sub":"user-1"}');
  });

  it('is none when two claim that sid: refused without asking the service', async () => {
    const sid = await sidOf();
    browser.plant(REFRESH, `${refreshTokenOf(sid, 7)}.${'k'.repeat(22)}`, '/');
    expect((await browser.fetch('/session/refresh', POST)).status).toBe(401);
    expect(app.node.callsOf('refresh')).toEqual([]);
    expect(app.node.isAlive(sid)).toBe(true);
  });

  it('is none without the __Host- cookie: a planted session is not adopted', async () => {
    const attacker = await app.signedIn('attacker');
    const victim = app.browser();
    victim.plant(REFRESH, attacker.value(REFRESH) ?? '', '/');
    victim.plant(ACCESS, attacker.value(ACCESS) ?? '', '/');
    expect((await victim.fetch('/session/refresh', POST)).status).toBe(401);
    expect((await victim.fetch('/api/me')).status).toBe(401);
    expect(app.node.callsOf('refresh')).toEqual([]);
  });

  it('is none when the __Host- cookie names another session', async () => {
    browser.cookies = browser.cookies.map((cookie) =>
      cookie.name === ACCESS ? { ...cookie, value: accessTokenOf({ sid: 'f'.repeat(32) }) } : cookie,
    );
    expect((await browser.fetch('/session/refresh', POST)).status).toBe(401);
  });
});

describe('a navigation with an expired access token', () => {
  beforeEach(() => app.node.expireAccessTokens());

  it.each(['none', 'same-origin', 'same-site', 'cross-site'])(
    'from %s goes by way of the refresh route and back',
    async (site) => {
      const answered = await browser.navigate('/page?a=1&b=%2F', site);
      expect(answered.status).toBe(200);
      expect(answered.trail).toEqual([
        'GET /page?a=1&b=%2F 303',
        'GET /session/refresh?return_to=%2Fpage%3Fa%3D1%26b%3D%252F 303',
        expect.stringMatching(/^GET \/page\?a=1&b=%2F&curfew-refreshed=\w+ 303$/),
        'GET /page?a=1&b=%2F 200',
      ]);
      expect(app.node.callsOf('refresh')).toHaveLength(1);
    },
  );

  it('as a form keeps method and body both ways, and the handler sees the URL that was asked for', async () => {
    const answered = await browser.submit('/page?a=1', 'amount=5');
    expect(answered.trail.map((step) => step.replace(/curfew-refreshed=\w+/, 'mark'))).toEqual([
      'POST /page?a=1 307',
      'POST /session/refresh?return_to=%2Fpage%3Fa%3D1 307',
      'POST /page?a=1&mark 200',
    ]);
    expect(JSON.parse(answered.body)).toEqual({
      sub: 'user-1',
      method: 'POST',
      url: '/page?a=1',
      query: { a: '1' },
      body: { amount: '5' },
    });
  });

  it('works for HEAD', async () => {
    const answered = await browser.navigate('/page', 'none', { method: 'HEAD' });
    expect([answered.status, answered.trail.length]).toEqual([200, 4]);
  });

  it('of a browser without Fetch Metadata goes the same way', async () => {
    const first = await browser.send('/page', { headers: { accept: 'text/html' } });
    expect(first.status).toBe(303);
    const second = await browser.send(first.headers.location ?? '', { headers: { accept: 'text/html' } });
    expect(second.status).toBe(303);
    expect((await browser.send('/page', { headers: { accept: 'text/html' } })).status).toBe(200);
  });

  it('G3: aborted ten times in a row presents one token with one key, and the user stays signed in', async () => {
    browser.keepsNoCookies = true;
    browser.maxRedirects = 1;
    for (let time = 0; time < 10; time += 1) {
      await browser.navigate('/page');
      app.node.expireAccessTokens();
    }
    expect(new Set(app.node.callsOf('refresh').map((call) => JSON.stringify(call))).size).toBe(1);
    browser.keepsNoCookies = false;
    browser.maxRedirects = 20;
    expect((await browser.navigate('/page')).status).toBe(200);
    expect(app.node.theftDetected).toBe(false);
  });

  it('whose session has ended comes back without cookies, as a 401 page', async () => {
    browser.cookies = browser.cookies.filter(({ name }) => name !== REFRESH);
    const answered = await browser.navigate('/page');
    expect(answered.trail.map((step) => step.split(' ').at(-1))).toEqual(['303', '303', '401']);
    expect(answered.headers['content-type']).toContain('text/html');
    expect(browser.cookies).toEqual([]);
  });

  it('whose session has ended comes to the login page if there is one, which can send it back', async () => {
    await app.close();
    app = await runApp({ loginPage: '/sign-in' });
    browser = await app.signedIn();
    await app.node.sessions.revoke(await sidOf());
    const answered = await browser.navigate('/page?a=1');
    expect(answered.url).toBe('/sign-in?return_to=%2Fpage%3Fa%3D1');
  });

  it('to a public page finds the user there, or nobody', async () => {
    expect((await browser.navigate('/greeting')).body).toBe('{"sub":"user-1"}');
    await app.node.sessions.revoke(await sidOf());
    const answered = await browser.navigate('/greeting');
    expect([answered.body, answered.url]).toEqual(['{"sub":null}', '/greeting']);
    expect((await app.browser().navigate('/greeting')).trail).toEqual(['GET /greeting 200']);
  });

  it('by a form of a sibling host is refused before it is redirected', async () => {
    const headers = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      origin: 'https://shop.example',
    };
    const sent = { method: 'POST', headers: { ...headers, 'sec-fetch-site': 'same-site' } };
    expect((await browser.send('/page', sent)).status).toBe(403);
  });

  it('never returns to another origin', async () => {
    for (const target of ['//evil.example', '/%5Cevil.example', 'https://evil.example', '/\t/evil.example']) {
      const url = `/session/refresh?return_to=${encodeURIComponent(target)}`;
      const headers = {
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': 'cross-site',
      };
      expect((await browser.send(url, { headers })).headers.location).toMatch(/^\/\?curfew-refreshed=\w+$/);
    }
    const deep = await browser.send('//evil.example/page', { headers: { accept: 'text/html' } });
    expect(deep.headers.location ?? '').not.toContain('evil');
  });

  it('G2: while the service is away gets a 503 page, and no cookie changes', async () => {
    const before = browser.cookies;
    app.node.serviceError = unavailable();
    const answered = await browser.navigate('/page');
    expect([answered.status, answered.headers['retry-after']]).toEqual([503, '3']);
    expect(answered.headers['content-type']).toContain('text/html');
    expect(browser.cookies).toEqual(before);
  });
});

describe('GET <mount>/refresh', () => {
  it.each([
    [
      'an API call',
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
      '/?x=1',
      403,
    ],
    [
      'an image',
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', 'sec-fetch-site': 'same-site' },
      '/',
      403,
    ],
    ['a client without Fetch Metadata that wants no page', { accept: '*/*' }, '/', 403],
    [
      'a frame of another site',
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' },
      '/',
      403,
    ],
    [
      'a frame of the application',
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'same-origin' },
      '/',
      303,
    ],
    [
      'a link in a mail',
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' },
      '/',
      303,
    ],
  ])('by %s', async (_who, headers, returnTo, status) => {
    const url = `/session/refresh?return_to=${encodeURIComponent(returnTo)}`;
    expect((await browser.send(url, { headers: headers })).status).toBe(status);
    expect(app.node.callsOf('refresh')).toHaveLength(status === 303 ? 1 : 0);
  });

  it('needs return_to', async () => {
    const answered = await browser.navigate('/session/refresh');
    expect(answered.status).toBe(400);
    expect(app.node.callsOf('refresh')).toEqual([]);
  });
});

describe('a second redirect for one request is an error, not a loop', () => {
  it('when the browser keeps no cookies', async () => {
    app.node.expireAccessTokens();
    browser.keepsNoCookies = true;
    const answered = await browser.navigate('/page');
    expect(answered.status).toBe(500);
    expect(answered.body).toContain('redirected twice');
    expect(answered.trail).toHaveLength(3);
  });

  it('when the node refuses what the service issues', async () => {
    app.node.verifyError = new CurfewSdkError('ERR_TOKEN_REFUSED', 401, 'The token is refused');
    const answered = await browser.submit('/page', 'a=b');
    expect([answered.status, answered.trail.length]).toEqual([500, 3]);
  });
});
