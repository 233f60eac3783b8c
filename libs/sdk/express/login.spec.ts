import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import expressSession from 'express-session';
import { CurfewSdkError } from '../core/error.js';
import { jsonOf, runApp, type RunningApp } from './express-app.double.js';

const ACCESS = '__Host-curfew';
const REFRESH = '__Secure-curfew-refresh';
let app: RunningApp;
beforeEach(async () => {
  app = await runApp();
});
afterEach(() => app.close());

describe('login', () => {
  it('sets both cookies, keeps the tokens out of the body, and the next request has the session', async () => {
    const browser = app.browser();
    const answered = await browser.fetch('/login', jsonOf({ sub: 'user-1' }, { 'user-agent': 'spec/1' }));
    expect(answered.status).toBe(200);
    expect(answered.headers['cache-control']).toBe('no-store');
    expect(answered.setCookies).toHaveLength(2);
    expect(answered.setCookies[0]).toMatch(
      /^__Host-curfew=[^;]+; Path=\/; Max-Age=86\d{3}; .*HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(answered.setCookies[1]).toMatch(
      /^__Secure-curfew-refresh=cfr_[^;]+; Path=\/session; Max-Age=86\d{3}; .*HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(Object.keys(JSON.parse(answered.body) as object)).toEqual([
      'sid',
      'accessExpiresAt',
      'refreshExpiresAt',
    ]);
    expect((await browser.fetch('/api/me')).body).toBe('{"sub":"user-1"}');
    const [[input, options]] = app.node.callsOf('create') as [[object, { idempotencyKey: string }]];
    expect(input).toEqual({ sub: 'user-1', device: { userAgent: 'spec/1', ip: '127.0.0.1' } });
    expect(Buffer.from(options.idempotencyKey, 'base64url')).toHaveLength(16);
    expect(browser.value(REFRESH)?.split('.')[1]).not.toBe(options.idempotencyKey);
  });

  it('is safe against fixation: a new session each time, and the one that the browser held ends', async () => {
    const browser = await app.signedIn('user-1');
    const before = browser.value(ACCESS);
    const first = app.node.calls.length;
    const { sid: old } = await app.node.verify(before ?? '');
    const answered = await browser.fetch('/login', jsonOf({ sub: 'user-2' }));
    const { sid } = JSON.parse(answered.body) as { sid: string };
    expect(sid).not.toBe(old);
    expect(browser.value(ACCESS)).not.toBe(before);
    expect(
      app.node.calls.slice(first).map(([name, input]) => [name, (input as { replaces?: string }).replaces]),
    ).toEqual([['create', old]]);
    expect(app.node.isAlive(old)).toBe(false);
    expect((await browser.fetch('/api/me')).body).toBe('{"sub":"user-2"}');
  });

  it('G4: a token forged from the public sid of somebody else ends nothing at login and at logout', async () => {
    const victim = await app.signedIn('victim');
    const { sid } = await app.node.verify(victim.value(ACCESS) ?? '');
    const thief = app.browser();
    const forged = (victim.value(ACCESS) ?? '').replace(/\.[^.]+$/, '.forged');
    for (const url of ['/login', '/logout', '/session/logout']) {
      const cookie = { cookie: `${ACCESS}=${forged}`, 'sec-fetch-site': 'same-origin' };
      await thief.send(url, jsonOf({ sub: 'thief' }, cookie));
      expect(app.node.isAlive(sid)).toBe(true);
    }
    expect(app.node.callsOf('revoke')).toEqual([]);
  });

  it('is refused from another site before anything is created, signed in or not', async () => {
    const evil = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    for (const browser of [app.browser(), await app.signedIn()]) {
      const created = app.node.callsOf('create').length;
      const answered = await browser.send('/login', jsonOf({ sub: 'attacker' }, evil));
      expect(answered.status).toBe(403);
      expect(JSON.parse(answered.body)).toMatchObject({
        code: 'ERR_CSRF',
        detail: expect.stringContaining('https://evil.example'),
      });
      expect(app.node.callsOf('create')).toHaveLength(created);
    }
  });

  it('lets a client that is no browser sign in: no Fetch Metadata, no origin, no cookie', async () => {
    expect((await app.browser().send('/login', jsonOf({ sub: 'script' }))).status).toBe(200);
  });

  it('refreshes once when the service was too slow to give an access token', async () => {
    app.node.slow = true;
    app.node.afterCreate = () => {
      app.node.slow = false;
    };
    const browser = await app.signedIn();
    expect((await browser.fetch('/api/me')).status).toBe(200);
  });

  it('leaves the cookies of other middleware alone, and replaces its own', async () => {
    await app.close();
    app = await runApp({}, (express) => {
      express.use(expressSession({ secret: 's', resave: false, saveUninitialized: true }));
      express.use((_req, res, next) => {
        res.append('Set-Cookie', 'theme=dark');
        next();
      });
      express.use((_req, res, next) => {
        res.append('Set-Cookie', `${ACCESS}=earlier; Path=/; Secure`);
        next();
      });
    });
    const answered = await app.browser().fetch('/login', jsonOf({ sub: 'user-1' }));
    const names = answered.setCookies.map((header) => header.split('=')[0]);
    expect([...names].sort()).toEqual([REFRESH, ACCESS, 'connect.sid', 'theme'].sort());
  });

  it('throws and creates nothing when the answer has begun', async () => {
    const answered = await app.browser().fetch('/login-late', jsonOf({ sub: 'user-1' }));
    expect(answered.body).toBe('begun, then ERR_INTERNAL');
    expect(app.node.callsOf('create')).toEqual([]);
  });

  it('ends the new session when the answer began meanwhile: nobody will hold its tokens', async () => {
    app.node.afterCreate = () => app.node.events.emit('created');
    const answered = await app.browser().fetch('/login-raced', jsonOf({ sub: 'user-1' }));
    expect(answered.body).toBe('begun, then ERR_INTERNAL');
    const [[sid]] = app.node.callsOf('revoke') as [[string]];
    expect(app.node.isAlive(sid)).toBe(false);
  });

  it('says loudly that plain http keeps no secure cookie, before it creates a session', async () => {
    await app.close();
    app = await runApp({ trustProxyTls: false });
    const answered = await app.browser().fetch('/login', jsonOf({ sub: 'user-1' }));
    expect(answered.status).toBe(500);
    expect(JSON.parse(answered.body)).toMatchObject({
      code: 'ERR_CONFIG',
      detail: expect.stringContaining('insecureLoopback'),
    });
    expect(app.node.callsOf('create')).toEqual([]);
  });

  it('does not blame the user for an API key that the service refuses', async () => {
    const browser = await app.signedIn();
    app.node.serviceError = new CurfewSdkError('ERR_UNAUTHENTICATED', 401, 'The caller is not authenticated');
    for (const url of ['/login', '/session/refresh']) {
      const answered = await browser.fetch(url, jsonOf({ sub: 'user-1' }));
      expect(answered.status).toBe(500);
      expect(answered.setCookies).toEqual([]);
    }
  });
});

describe('insecureLoopback', () => {
  it('uses unprefixed names without Secure, which nothing else reads', async () => {
    await app.close();
    app = await runApp({ insecureLoopback: true });
    const browser = app.browser();
    const origin = { origin: `http://127.0.0.1:${app.port}` };
    const answered = await browser.send('/login', jsonOf({ sub: 'user-1' }, origin));
    expect(answered.setCookies.map((header) => header.split('=')[0])).toEqual([
      'curfew-loopback',
      'curfew-loopback-refresh',
    ]);
    expect(answered.setCookies.join()).not.toContain('Secure');
    expect((await browser.send('/api/me')).status).toBe(200);
    const proxied = await browser.send('/api/me', { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(proxied.status).toBe(401);
    const value = browser.value('curfew-loopback') ?? '';
    const production = await runApp();
    production.node.verify = (token) => app.node.verify(token);
    expect(
      (await production.browser().send('/api/me', { headers: { cookie: `curfew-loopback=${value}` } }))
        .status,
    ).toBe(401);
    expect(
      (await production.browser().send('/api/me', { headers: { cookie: `${ACCESS}=${value}` } })).status,
    ).toBe(200);
    await production.close();
  });
});

describe('logout', () => {
  it.each(['/logout', '/session/logout'])('%s ends the session and clears both cookies', async (url) => {
    const browser = await app.signedIn();
    const { sid } = await app.node.verify(browser.value(ACCESS) ?? '');
    const answered = await browser.fetch(url, { method: 'POST' });
    expect(answered.status).toBe(204);
    expect(answered.headers['cache-control']).toBe('no-store');
    expect(browser.cookies).toEqual([]);
    expect(app.node.isAlive(sid)).toBe(false);
    expect(app.node.callsOf('revoke')).toEqual([
      [sid, { reason: 'logout', initiator: 'user', tenant: 'default' }],
    ]);
  });

  it('under the mount, ends the session of an expired access token too: the refresh token proves whose it is', async () => {
    const browser = await app.signedIn();
    const { sid } = await app.node.verify(browser.value(ACCESS) ?? '');
    app.node.expireAccessTokens();
    expect((await browser.fetch('/session/logout', { method: 'POST' })).status).toBe(204);
    expect(app.node.isAlive(sid)).toBe(false);
    expect(browser.cookies).toEqual([]);
  });

  it('clears what is left of a session that has ended elsewhere, and sends a form back to a page of its own', async () => {
    const browser = await app.signedIn();
    const { sid } = await app.node.verify(browser.value(ACCESS) ?? '');
    await app.node.sessions.revoke(sid);
    const answered = await browser.submit('/session/logout?return_to=//evil.example', 'a=b');
    expect(answered.trail).toEqual(['POST /session/logout?return_to=//evil.example 303', 'GET / 404']);
    expect(browser.cookies).toEqual([]);
  });

  it.each([
    ['/session/logout', 'same-site', 'https://shop.example', 403],
    ['/logout', 'cross-site', 'https://evil.example', 403],
    ['/session/logout', 'same-origin', 'https://127.0.0.1', 204],
  ])('%s from %s answers %#', async (url, site, origin, status) => {
    const browser = await app.signedIn();
    const { sid } = await app.node.verify(browser.value(ACCESS) ?? '');
    const answered = await browser.send(url, { method: 'POST', headers: { 'sec-fetch-site': site, origin } });
    expect(answered.status).toBe(status);
    expect(app.node.isAlive(sid)).toBe(status === 403);
  });

  it('by GET is refused across sites as well', async () => {
    const browser = await app.signedIn();
    expect((await browser.navigate('/logout', 'cross-site')).status).toBe(403);
    expect((await browser.fetch('/api/me')).status).toBe(200);
  });

  it('keeps the cookies when the service cannot be reached, so that the user can try again', async () => {
    const browser = await app.signedIn();
    app.node.serviceError = new CurfewSdkError('ERR_UNAVAILABLE', 503, 'Not reached', { retryAfter: 2 });
    const answered = await browser.fetch('/session/logout', { method: 'POST' });
    expect([answered.status, answered.headers['retry-after'], answered.setCookies.length]).toEqual([
      503,
      '2',
      0,
    ]);
    app.node.serviceError = undefined;
    expect((await browser.fetch('/session/logout', { method: 'POST' })).status).toBe(204);
  });
});

describe('the device list', () => {
  it('lists and ends the sessions of the own user only', async () => {
    const laptop = await app.signedIn('user-1');
    const phone = await app.signedIn('user-1');
    const stranger = await app.signedIn('user-2');
    const sidOf = async (browser: typeof laptop) => (await app.node.verify(browser.value(ACCESS) ?? '')).sid;
    const [own, other, foreign] = [await sidOf(laptop), await sidOf(phone), await sidOf(stranger)];
    const listed = JSON.parse((await laptop.fetch('/devices')).body) as { sessions: { sid: string }[] };
    expect(listed.sessions.map(({ sid }) => sid)).toEqual([own, other]);
    expect((await laptop.fetch(`/devices/${foreign}`, { method: 'DELETE' })).status).toBe(404);
    expect((await laptop.fetch(`/devices/${other}`, { method: 'DELETE' })).status).toBe(204);
    expect([app.node.isAlive(own), app.node.isAlive(other), app.node.isAlive(foreign)]).toEqual([
      true,
      false,
      true,
    ]);
    expect((await laptop.fetch(`/devices/${own}`, { method: 'DELETE' })).status).toBe(204);
    expect(laptop.cookies).toEqual([]);
    expect((await laptop.fetch('/devices')).status).toBe(401);
  });
});
