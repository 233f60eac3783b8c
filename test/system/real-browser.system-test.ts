import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { Curfew } from '#sdk';
import { curfew, curfewErrors, requireSession, type CurfewMiddleware } from '#sdk/express';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { nodeOptions } from '../support/nodes.js';

/** Seconds: so that navigations find an expired access token soon. */
const ACCESS_TTL = 2;
const CHROMIUM = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

const suite = CHROMIUM === undefined ? describe.skip : describe;
const why = CHROMIUM === undefined ? ' (skipped: no Chromium here; set CHROMIUM to its path)' : '';

suite(`a real browser over HTTPS${why}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let certificates: string;
  let service: TestService;
  let app: CurfewMiddleware<Curfew>;
  let server: Server;
  let origin: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path, { CURFEW_ACCESS_TTL: String(ACCESS_TTL) });
    app = curfew(nodeOptions(service));
    await app.node.ready();
    certificates = mkdtempSync(join(tmpdir(), 'curfew-tls-'));
    server = createServer(selfSigned(certificates), webApp());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: CHROMIUM as string, args: [...ARGUMENTS, ...QUIET] });
    context = await browser.newContext({ ignoreHTTPSErrors: true });
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
    await app.node.close();
    await service.child.stop();
    await folder.remove();
    rmSync(certificates, { recursive: true, force: true });
  });

  function webApp(): express.Express {
    const web = express();
    web.use(app);
    web.use(express.urlencoded({ extended: false }));
    web.get('/login', (_request, response) => {
      response.send('<form method="post"><input name="user" value="user-1"><button>Sign in</button></form>');
    });
    web.post('/login', async (request, response) => {
      await request.curfew.login({ sub: (request.body as { user: string }).user });
      response.redirect(303, '/page');
    });
    web.get('/page', requireSession(), (request, response) => {
      response.send(
        `hello ${request.curfew.require().sub}<form method="post" action="/note"><input name="note"><button>Save</button></form>`,
      );
    });
    web.post('/note', requireSession(), (request, response) => {
      response.send(`saved ${(request.body as { note: string }).note}`);
    });
    // Another site: same server, another host name. It tries to sign the visitor out.
    web.get('/evil', (_request, response) => {
      response.send(
        `<form method="post" action="${origin}/session/logout"><button>Win a kayak</button></form>`,
      );
    });
    web.use(curfewErrors());
    return web;
  }

  const text = async (): Promise<string> => (await page.textContent('body')) ?? '';
  const expired = () => new Promise((resolve) => setTimeout(resolve, ACCESS_TTL * 1_000 + 100));

  it('keeps the session in cookies that scripts, other hosts and other paths do not see', async () => {
    await page.goto(`${origin}/login`);
    await page.click('button');
    await page.waitForURL(`${origin}/page`);
    expect(await text()).toContain('hello user-1');
    const cookies = await context.cookies([origin, `${origin}/session`]);
    const attributes = { httpOnly: true, secure: true, sameSite: 'Lax' };
    expect(cookies).toHaveLength(2);
    expect(cookies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: '__Host-curfew', path: '/', ...attributes }),
        expect.objectContaining({ name: '__Secure-curfew-refresh', path: '/session', ...attributes }),
      ]),
    );
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  it('renews an expired access token on a navigation, and the address stays what was asked for', async () => {
    const before = await context.cookies([origin]);
    await expired();
    const response = await page.goto(`${origin}/page?tab=2`);
    expect(response?.status()).toBe(200);
    expect(page.url()).toBe(`${origin}/page?tab=2`);
    expect(await context.cookies([origin])).not.toEqual(before);
  });

  it('carries a form over the renewal, with its body', async () => {
    await page.goto(`${origin}/page`);
    await expired();
    await page.fill('input', 'buy rope & tar');
    await page.click('button');
    await eventually(async () => (await text()).includes('saved buy rope & tar'), { within: 5_000 });
  });

  it('G3: ten navigations that are cut off leave the user signed in', async () => {
    await expired();
    for (let round = 0; round < 10; round += 1) {
      await page.goto(`${origin}/page`, { timeout: 4 + round, waitUntil: 'commit' }).catch(() => undefined);
    }
    await eventually(async () => (await page.goto(`${origin}/page`).catch(() => null))?.status() === 200);
    expect(await text()).toContain('hello user-1');
  });

  it('another site cannot sign the user out', async () => {
    const evil = origin.replace('127.0.0.1', 'localhost');
    await page.goto(`${evil}/evil`);
    await page.click('button');
    await page.waitForURL(`${origin}/session/logout`);
    expect((await page.goto(`${origin}/page`))?.status()).toBe(200);
  });

  it('G2: a session that is ended elsewhere ends here', async () => {
    const { body } = await service.rest.call<{ sessions: { sid: string }[] }>(
      'GET',
      '/v1/users/user-1/sessions',
    );
    for (const { sid } of body.sessions) await service.rest.call('DELETE', `/v1/sessions/${sid}`);
    await eventually(async () => (await page.goto(`${origin}/page`))?.status() === 401, { within: 2_000 });
    expect(await context.cookies([origin, `${origin}/session`])).toEqual([]);
  });
});

function selfSigned(folder: string): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
