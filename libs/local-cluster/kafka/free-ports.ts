import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below the range that systems take for outgoing connections: so none sits on a broker's port while it is restarted. */
const LOWEST = 20_000;
const HIGHEST = 31_999;
const TRIES = 200;

/** Distinct loopback ports, free a moment ago: whoever listens must be ready to find one taken. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  try {
    const ports: number[] = [];
    for (let tries = 0; ports.length < count; tries += 1) {
      if (tries > TRIES) throw new Error(`no free port between ${LOWEST} and ${HIGHEST}`);
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
      const server = await listen(port);
      if (server === undefined) continue;
      held.push(server);
      ports.push(port);
    }
    return ports;
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
