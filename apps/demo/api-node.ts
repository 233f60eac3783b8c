import type { AddressInfo } from 'node:net';
import express from 'express';
import { curfew, curfewErrors, requireSession } from '#sdk/express';
import { kafkaRevocations } from '#sdk/kafka';
import type { NodeSettings } from './node-settings.js';

/** An API node as a team would write it: the adapter in front, one route that needs a session. */
const settings = JSON.parse(process.env['NODE_SETTINGS'] ?? '{}') as NodeSettings;

const { kafka } = settings;
const sessions = curfew({
  service: settings.service,
  watch: settings.watch,
  apiKey: settings.apiKey,
  issuer: settings.issuer,
  audience: settings.audience,
  tenant: 'default',
  nodeId: settings.name,
  insecureLoopback: true,
  ...(kafka && {
    revocations: kafkaRevocations({ kafka: { brokers: [...kafka.brokers] }, topic: kafka.topic }),
  }),
});

const app = express();
app.disable('x-powered-by');
app.use(sessions);
app.get('/whoami', requireSession(), (request, response) => {
  const { sid, sub } = request.curfew.require();
  response.json({ node: settings.name, sid, sub });
});
app.use(curfewErrors());

await sessions.node.ready({ timeoutMs: 20_000 });
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ ready: { name: settings.name, url: `http://127.0.0.1:${port}` } });
});

const stop = (): void => {
  server.close();
  server.closeAllConnections();
  void sessions.node.close().then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('disconnect', stop);
