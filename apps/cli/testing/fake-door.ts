import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../program.js';
import type { Surroundings } from '../surroundings.js';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
}

/** An answer, or one that never comes: the connection is cut once the request has been read. */
export type Reply = { readonly status: number; readonly body: string } | 'cut';

export const json = (value: unknown, status = 200): Reply => ({ status, body: JSON.stringify(value) });

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A REST door that answers what a test says, and a data folder that leads to it. */
export interface FakeDoor {
  readonly url: string;
  readonly folder: string;
  readonly seen: Seen[];
  /** Answers the next requests. */
  reply: (request: Seen) => Reply | Promise<Reply>;
  /** Forgets what it saw, and mends its data folder. */
  reset(): void;
  run(words: string | readonly string[], surroundings?: Partial<Surroundings>): Promise<Ended>;
  close(): Promise<void>;
}

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method, url, headers } = request;
  return {
    method,
    url,
    authorization: headers.authorization,
    idempotencyKey: headers['idempotency-key'] as string | undefined,
    body: chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString()),
  };
}

export async function openFakeDoor(): Promise<FakeDoor> {
  const folder = mkdtempSync(join(tmpdir(), 'curfew-cli-'));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const each = await read(request);
    door.seen.push(each);
    const reply = await door.reply(each);
    if (reply === 'cut') request.socket.destroy();
    else response.writeHead(reply.status).end(reply.body);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const door: FakeDoor = {
    url,
    folder,
    seen: [],
    reply: () => json({}),
    reset() {
      door.seen.length = 0;
      door.reply = () => json({});
      writeFileSync(join(folder, 'endpoints.json'), JSON.stringify({ http: url, grpc: url }));
      writeFileSync(join(folder, 'first-api-key'), 'cfk_first\n');
    },
    async run(words, surroundings = {}) {
      const out: string[] = [];
      const err: string[] = [];
      const code = await runCli(typeof words === 'string' ? words.split(' ') : words, {
        env: { CURFEW_DATA_DIR: folder },
        print: (text) => out.push(text),
        complain: (text) => err.push(text),
        pollMs: 1,
        ...surroundings,
      });
      return { code, out: out.join('\n'), err: err.join('\n') };
    },
    async close() {
      rmSync(folder, { recursive: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  door.reset();
  return door;
}
