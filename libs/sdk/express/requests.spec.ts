import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import expressSession from 'express-session';
import { CurfewSdkError, stale } from '../core/error.js';
import { tokenRefused } from '../browser-session/sdk-error.js';
import { SessionNodeDouble } from '../browser-session/session-node.double.js';
import { rawRequest } from './browser.double.js';
import { jsonOf, runApp, type RunningApp } from './express-app.double.js';
import { curfew, requireSession } from './index.js';

const ACCESS = '__Host-curfew';
let app: RunningApp;
beforeEach(async () => {
  app = await runApp();
});
afterEach(() => app.close());

const bearer = async () => ({ authorization: `Bearer ${(await app.signedIn()).value(ACCESS) ?? ''}` });

describe('a request with a session cookie', () => {
  it.each([
    ['POST', 'same-origin', undefined, 200],
    ['POST', 'none', undefined, 200],
    ['POST', 'same-site', 'https://shop.example', 403],
    ['PUT', 'same-site', 'https://shop.example', 403],
    ['DELETE', 'cross-site', 'https://evil.example', 403],
    ['PATCH', undefined, undefined, 403],
    ['POST', undefined, 'https://evil.example', 403],
    ['GET', 'cross-site', undefined, 200],
    ['GET', 'same-site', undefined, 200],
    ['GET', undefined, undefined, 200],
  ])('%s with Sec-Fetch-Site %s and Origin %s answers %s', async (method, site, origin, status) => {
    const browser = await app.signedIn();
    const headers = { ...(site && { 'sec-fetch-site': site }), ...(origin && { origin }) };
    expect((await browser.send('/api/me', { method, headers })).status).toBe(status);
  });

  it('falls back to Origin, compared with the host that was asked for', async () => {
    const browser = await app.signedIn();
    const post = async (origin: string) =>
      (await browser.send('/api/me', { method: 'POST', headers: { origin } })).status;
    expect(await post(`https://127.0.0.1:${app.port}`)).toBe(200);
    expect(await post(`http://127.0.0.1:${app.port}`)).toBe(403);
    expect(await post('https://127.0.0.1')).toBe(403);
    expect(await post('null')).toBe(403);
  });

  it('of another site is refused even when the token has expired: the answer does not depend on luck', async () => {
    const browser = await app.signedIn();
    app.node.expireAccessTokens();
    const headers = { 'sec-fetch-site': 'same-site', origin: 'https://shop.example' };
    expect((await browser.send('/unread', { method: 'POST', headers })).status).toBe(403);
  });
});

describe('a request with a Bearer header', () => {
  it('is verified, and needs no origin', async () => {
    const headers = { ...(await bearer()), 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await rawRequest(app.port, '/api/me', { method: 'POST', headers })).body).toBe(
      '{"sub":"user-1"}',
    );
  });

  it('and a cookie is decided by the header alone', async () => {
    const browser = await app.signedIn('cookie-user');
    const { authorization } = await bearer();
    expect((await browser.send('/api/me', { headers: { authorization } })).body).toBe('{"sub":"user-1"}');
    for (const refused of ['Bearer refused', 'Bearer', 'bearer  ']) {
      const answered = await browser.send('/api/me', { headers: { authorization: refused } });
      expect(answered.status).toBe(401);
      expect(answered.headers['www-authenticate']).toContain('Bearer');
    }
  });

  it('that is refused does not lift the CSRF check off the cookie', async () => {
    const browser = await app.signedIn();
    const headers = {
      authorization: 'Bearer refused',
      'sec-fetch-site': 'cross-site',
      origin: 'https://evil.example',
    };
    expect((await browser.send('/unread', { method: 'POST', headers })).status).toBe(403);
    expect((await browser.send('/session/logout', { method: 'POST', headers })).status).toBe(403);
  });

  it('logs its session out without touching cookies, from anywhere', async () => {
    const headers = { ...(await bearer()), 'sec-fetch-site': 'cross-site' };
    const answered = await rawRequest(app.port, '/session/logout', { method: 'POST', headers });
    expect([answered.status, answered.setCookies]).toEqual([204, []]);
    expect((await rawRequest(app.port, '/api/me', { headers })).status).toBe(401);
  });

  it('of another scheme leaves the cookie to decide', async () => {
    const browser = await app.signedIn();
    const headers = { authorization: 'Basic dXNlcjpwYXNz' };
    expect((await browser.send('/api/me', { headers })).status).toBe(200);
  });
});

describe('without a session', () => {
  it('an API call gets problem+json, a navigation a small page', async () => {
    const api = await app.browser().fetch('/page');
    expect([api.status, api.headers['content-type']]).toEqual([
      401,
      'application/problem+json; charset=utf-8',
    ]);
    expect(JSON.parse(api.body)).toEqual({
      type: 'about:blank',
      title: 'The token is refused',
      status: 401,
      code: 'ERR_TOKEN_REFUSED',
    });
    const page = await app.browser().navigate('/page');
    expect([page.status, page.headers['content-type']]).toEqual([401, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  });

  it('anonymous requests pass, also unsafe ones of other sites', async () => {
    expect((await app.browser().send('/public')).body).toBe('{"sub":null}');
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await rawRequest(app.port, '/unread', { method: 'POST', headers })).status).toBe(404);
  });

  it('two different access cookies are none', async () => {
    const [one, two] = [await app.signedIn(), await app.signedIn('user-2')];
    const cookie = `${ACCESS}=${one.value(ACCESS)}; ${ACCESS}=${two.value(ACCESS)}`;
    expect((await rawRequest(app.port, '/api/me', { headers: { cookie } })).status).toBe(401);
  });
});

describe('a node that cannot know', () => {
  it('G2: answers 503 with Retry-After wherever the session matters, and lets the rest work', async () => {
    const browser = await app.signedIn();
    app.node.verifyError = stale('no answer', undefined, 2);
    for (const url of ['/api/me', '/page', '/public', '/devices']) {
      const answered = await browser.fetch(url);
      expect([url, answered.status, answered.headers['retry-after']]).toEqual([url, 503, '2']);
      expect(JSON.parse(answered.body)).toMatchObject({ code: 'ERR_STALE' });
      expect(answered.setCookies).toEqual([]);
    }
    expect((await browser.navigate('/page')).status).toBe(503);
    expect((await browser.fetch('/unread')).body).toBe('ok');
    expect((await browser.fetch('/login', jsonOf({ sub: 'user-1' }))).status).toBe(503);
  });
});

describe('Vary', () => {
  it('is said where the session was looked at, and only there', async () => {
    expect((await app.browser().send('/public')).headers.vary).toBe('Cookie, Authorization');
    expect((await app.browser().send('/unread')).headers.vary).toBeUndefined();
  });
});

describe('the property', () => {
  it('lives beside express-session', async () => {
    await app.close();
    app = await runApp({}, (before) => {
      before.use(expressSession({ secret: 's', resave: false, saveUninitialized: true }));
    });
    const browser = await app.signedIn();
    const answered = await browser.fetch('/api/me');
    expect([answered.status, browser.value('connect.sid')]).toEqual([200, expect.stringContaining('s%3A')]);
  });

  it.each([
    ['session', expressSession({ secret: 's', resave: false, saveUninitialized: false })],
    ['curfew', curfew({ node: new SessionNodeDouble() })],
    ['headers', express.json()],
  ])('fails loudly where %s is taken', async (property, other) => {
    const taken = express()
      .use(other)
      .use(curfew({ node: new SessionNodeDouble(), property }));
    const errors: unknown[] = [];
    const answering: express.ErrorRequestHandler = (error: unknown, _req, res, _next) => {
      errors.push(error);
      res.status(500).end();
    };
    taken.use(answering);
    const server = taken.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect((await rawRequest(port, '/', {})).status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_NAME_TAKEN', field: 'property' })]);
    server.close();
    await once(server, 'close');
  });

  it('cannot be overwritten by what comes later', () => {
    const request = { headers: {}, method: 'GET', originalUrl: '/', url: '/' } as express.Request;
    void curfew({ node: new SessionNodeDouble() })(request, {} as express.Response, () => undefined);
    expect(() => Object.assign(request, { curfew: 1 })).toThrow(TypeError);
  });
});

describe('requireSession', () => {
  it('says what is missing when curfew() does not come before it', () => {
    expect(() => requireSession()({} as express.Request, {} as express.Response, () => undefined)).toThrow(
      /app\.use\(curfew/,
    );
  });
});

describe('requireSession({ maxStaleness })', () => {
  it('G2: lets in by the route’s bound, where other routes go by the node’s', async () => {
    const browser = await app.signedIn();
    app.node.leaseAgeMs = 499;
    expect((await browser.fetch('/transfer')).status).toBe(200);
    app.node.leaseAgeMs = 500;
    const refused = await browser.fetch('/transfer');
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([503, expect.any(Number)]);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'ERR_STALE' });
    expect((await browser.fetch('/page')).status).toBe(200);
  });

  it('answers as without it when the service says that the session ended', async () => {
    const browser = await app.signedIn();
    app.node.leaseAgeMs = 500;
    app.node.tooOld = tokenRefused();
    expect((await browser.fetch('/transfer')).status).toBe(401);
    expect((await app.browser().fetch('/transfer')).status).toBe(401);
  });

  it('fails loudly with a bound that is none', async () => {
    const browser = await app.signedIn();
    app.node.leaseAgeMs = 500;
    app.node.tooOld = new CurfewSdkError('ERR_CONFIG', 0, 'no', { field: 'maxStaleness' });
    expect((await browser.fetch('/transfer')).status).toBe(500);
  });
});

describe('authenticateUpgrade', () => {
  const upgrade = async (headers: Readonly<Record<string, string>>) => {
    const seen = once(app.server, 'upgrade') as Promise<[IncomingMessage]>;
    const socket = connect(app.port, '127.0.0.1');
    const lines = Object.entries({
      connection: 'Upgrade',
      upgrade: 'websocket',
      host: 'app.example',
      ...headers,
    });
    socket.write(
      `GET /live HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
    const [request] = await seen;
    const answer = app.middleware.authenticateUpgrade(request).then(
      ({ sub }) => sub,
      (error: { code: string }) => error.code,
    );
    await answer;
    socket.destroy();
    request.socket.destroy();
    return answer;
  };

  it('checks the origin of a handshake that a cookie authenticates', async () => {
    const browser = await app.signedIn();
    const cookie = `${ACCESS}=${browser.value(ACCESS)}`;
    expect(await upgrade({ cookie, origin: 'https://app.example' })).toBe('user-1');
    expect(await upgrade({ cookie, 'sec-fetch-site': 'same-origin' })).toBe('user-1');
    expect(await upgrade({ cookie, origin: 'https://evil.example' })).toBe('ERR_CSRF');
    expect(await upgrade({ cookie, origin: 'https://shop.app.example', 'sec-fetch-site': 'same-site' })).toBe(
      'ERR_CSRF',
    );
    expect(await upgrade({ cookie })).toBe('ERR_CSRF');
    expect(await upgrade({ origin: 'https://app.example' })).toBe('ERR_TOKEN_REFUSED');
  });

  it('takes a header from anywhere', async () => {
    expect(await upgrade({ ...(await bearer()), origin: 'https://evil.example' })).toBe('user-1');
  });
});
