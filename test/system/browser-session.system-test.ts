import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import type { Curfew } from '#sdk';
import { curfew, curfewErrors, requireSession, type CurfewMiddleware } from '#sdk/express';
import { CookieJar } from '../support/browser.js';
import {
  dataFolder,
  eventually,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { onLog } from '../support/log.js';
import { nodeOptions } from '../support/nodes.js';

/** Seconds: so that navigations find an expired access token soon. */
const ACCESS_TTL = 1;

describe(`a browser and an Express app${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let server: Server;
  let origin: string;
  let app: CurfewMiddleware<Curfew>;

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path, { CURFEW_ACCESS_TTL: String(ACCESS_TTL) });
    app = curfew({ ...nodeOptions(service), insecureLoopback: true });
    const web = express();
    web.use(app);
    web.post('/login', async (request, response) => {
      await request.curfew.login({ sub: 'user-1' });
      response.json({ ok: true });
    });
    web.get('/page', requireSession(), (request, response) => {
      response.send(`hello ${request.curfew.require().sub}`);
    });
    web.get('/slow', requireSession(), async (_request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 80));
      response.send('slow');
    });
    web.use(curfewErrors());
    await app.node.ready();
    await new Promise<void>((resolve) => {
      server = web.listen(0, '127.0.0.1', () => resolve());
    });
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await app.node.close();
    await service.child.stop();
    await folder.remove();
  });

  async function signedIn(): Promise<CookieJar> {
    const browser = new CookieJar(origin);
    expect((await browser.send('POST', '/login')).status).toBe(200);
    return browser;
  }
  const expired = () => new Promise((resolve) => setTimeout(resolve, ACCESS_TTL * 1_000 + 50));

  it(`G1: a request in flight at logout cannot revive the session (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    for (let round = 0; round < rounds(5); round += 1) {
      const browser = await signedIn();
      const thief = browser.copy();
      // One slow reader, one refresh and one navigation are under way while the logout runs.
      const slow = browser.copy().send('GET', '/slow');
      await new Promise((resolve) => setTimeout(resolve, random() * 15));
      const refresher = browser.copy();
      const refreshing = refresher.send('POST', '/session/refresh');
      await new Promise((resolve) => setTimeout(resolve, random() * 15));
      expect((await browser.send('POST', '/session/logout')).status).toBeLessThan(400);
      await Promise.all([slow, refreshing]);

      expect(browser.names()).toEqual([]);
      for (const jar of [thief, refresher]) {
        const old = jar.copy();
        await eventually(async () => (await old.send('GET', '/page')).status === 401, { within: 2_000 });
        expect((await old.copy().send('POST', '/session/refresh')).status).toBe(401);
        expect((await old.copy().navigate('/page')).status).not.toBe(200);
      }
    }
  });

  it('G3: ten navigations in a row that are aborted leave the user signed in', async () => {
    const browser = await signedIn();
    await expired();
    for (let round = 0; round < 10; round += 1) await browser.navigate('/page', { abortAt: 1 });
    expect(await browser.navigate('/page')).toMatchObject({ status: 200, body: 'hello user-1' });
    const sessions = await service.rest.call<{ sessions: { status: string }[] }>(
      'GET',
      '/v1/users/user-1/sessions',
    );
    expect(sessions.body.sessions.filter(({ status }) => status === 'active')).not.toHaveLength(0);
  });

  it('renews on a navigation and keeps the session id', async () => {
    const browser = await signedIn();
    const before = browser.names().map((name) => browser.value(name));
    await expired();
    expect((await browser.send('GET', '/page')).status).toBe(401);
    expect((await browser.navigate('/page')).status).toBe(200);
    const after = browser.names().map((name) => browser.value(name));
    expect(after).toHaveLength(2);
    for (const value of after) expect(before).not.toContain(value);
  });

  it('a login makes a new session and ends the one before (fixation)', async () => {
    const browser = await signedIn();
    const before = browser.copy();
    expect((await browser.send('POST', '/login')).status).toBe(200);
    await eventually(async () => (await before.send('GET', '/page')).status === 401, { within: 2_000 });
    expect((await before.send('POST', '/session/refresh')).status).toBe(401);
    expect((await browser.send('GET', '/page')).status).toBe(200);
  });

  it('refuses a login, a refresh and a logout from another site', async () => {
    const browser = await signedIn();
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    for (const path of ['/login', '/session/refresh', '/session/logout']) {
      expect((await browser.send('POST', path, { headers: foreign })).status).toBe(403);
    }
    expect((await browser.send('GET', '/page')).status).toBe(200);
  });
});
