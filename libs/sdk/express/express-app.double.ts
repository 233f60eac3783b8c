import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import type { CurfewSdkError } from '../core/error.js';
import { SessionNodeDouble } from '../browser-session/session-node.double.js';
import { BrowserDouble } from './browser.double.js';
import {
  curfew,
  curfewErrors,
  renewSession,
  requireSession,
  type CurfewMiddleware,
  type ExpressOptions,
} from './index.js';

export interface RunningApp {
  readonly node: SessionNodeDouble;
  readonly middleware: CurfewMiddleware<SessionNodeDouble>;
  readonly server: Server;
  readonly port: number;
  browser(): BrowserDouble;
  /** A browser that is signed in as `sub`. */
  signedIn(sub?: string): Promise<BrowserDouble>;
  close(): Promise<void>;
}

/** Routes that every spec can use. */
function routes(app: Express, node: SessionNodeDouble): void {
  app.post('/login', express.json(), async (req, res) => {
    res.json(await req.curfew.login({ sub: (req.body as { sub: string }).sub }));
  });
  app.post('/login-late', async (req, res) => {
    res.write('begun, then ');
    res.end(await req.curfew.login({ sub: 'user-1' }).catch((error: CurfewSdkError) => error.code));
  });
  app.post('/login-raced', async (req, res) => {
    node.events.once('created', () => res.write('begun, then '));
    res.end(await req.curfew.login({ sub: 'user-1' }).catch((error: CurfewSdkError) => error.code));
  });
  app.all('/logout', async (req, res) => {
    await req.curfew.logout();
    res.status(204).end();
  });
  app.get('/public', (req, res) => void res.json({ sub: req.curfew.session?.sub ?? null }));
  app.get('/unread', (_req, res) => void res.send('ok'));
  app.get('/greeting', renewSession(), (req, res) => void res.json({ sub: req.curfew.session?.sub ?? null }));
  app.all('/api/me', (req, res) => void res.json({ sub: req.curfew.require().sub }));
  app.all('/transfer', requireSession({ maxStaleness: 500 }), (req, res) => {
    res.json({ sub: req.curfew.require().sub });
  });
  app.all('/page', requireSession(), express.urlencoded(), (req, res) => {
    res.json({
      sub: req.curfew.require().sub,
      method: req.method,
      url: req.url,
      query: req.query,
      body: req.body as unknown,
    });
  });
  app.get('/devices', async (req, res) => void res.json(await req.curfew.sessions.list({ limit: 10 })));
  app.delete('/devices/:sid', async (req, res) => {
    await req.curfew.sessions.revoke(req.params.sid);
    res.status(204).end();
  });
}

/** An application with the adapter, on a free loopback port. */
export async function runApp(
  options: ExpressOptions = {},
  before: (app: Express) => void = () => undefined,
): Promise<RunningApp> {
  const node = new SessionNodeDouble();
  const middleware = curfew({ node, trustProxyTls: options.insecureLoopback !== true, ...options });
  const app = express();
  before(app);
  app.use(middleware);
  routes(app, node);
  app.use(curfewErrors());
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = () => new BrowserDouble(port);
  return {
    node,
    middleware,
    server,
    port,
    browser,
    async signedIn(sub = 'user-1') {
      const signing = browser();
      await signing.fetch('/login', jsonOf({ sub }));
      return signing;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export const jsonOf = (body: unknown, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});
