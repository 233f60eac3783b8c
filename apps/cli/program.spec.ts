import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from './program.js';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}
let server: Server;
let url: string;
let folder: string;
const seen: Seen[] = [];
let reply: { status: number; body: string };

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'curfew-cli-'));
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method, url: path, headers } = request;
      seen.push({ method, url: path, authorization: headers.authorization, body });
      response.writeHead(reply.status).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen.length = 0;
  writeFileSync(join(folder, 'endpoints.json'), JSON.stringify({ http: url, grpc: url }));
  writeFileSync(join(folder, 'first-api-key'), 'cfk_first\n');
  reply = { status: 200, body: '{}' };
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

async function run(words: string, env: Record<string, string> = { CURFEW_DATA_DIR: folder }) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(words.split(' '), {
    env,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}
const KEY = {
  id: 'k1',
  name: 'login',
  scopes: ['sessions:issue'],
  tenants: ['acme'],
  audiences: ['api'],
  createdAt: 0,
  createdBy: 'system',
};

describe('curfew api-keys', () => {
  it('creates a key at the service that runs on the data folder', async () => {
    reply = { status: 201, body: JSON.stringify({ ...KEY, key: 'cfk_secret' }) };
    const { code, out } = await run(
      'api-keys create --name login --scope sessions:issue sessions:revoke --scope sessions:issue --tenant acme --audience api',
    );
    expect(code).toBe(0);
    expect(out).toContain('cfk_secret');
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/v1/api-keys',
        authorization: 'Bearer cfk_first',
        body: {
          name: 'login',
          scopes: ['sessions:issue', 'sessions:revoke'],
          tenants: ['acme'],
          audiences: ['api'],
        },
      },
    ]);
  });

  it('lists as a table or as JSON', async () => {
    reply = { status: 200, body: JSON.stringify({ apiKeys: [KEY, { ...KEY, id: 'k2', revokedAt: 60 }] }) };
    const { out } = await run('api-keys list');
    expect(out.split('\n').map((line) => line.split(/\s{2,}/).slice(0, 4))).toEqual([
      ['ID', 'NAME', 'CREATED', 'STATE'],
      ['k1', 'login', '1970-01-01 00:00', 'in force'],
      ['k2', 'login', '1970-01-01 00:00', 'revoked 1970-01-01 00:01'],
    ]);
    expect(JSON.parse((await run('api-keys list --json')).out)).toEqual(JSON.parse(reply.body));
  });

  it('revokes, whatever the id looks like', async () => {
    reply = { status: 204, body: '' };
    expect(await run('api-keys revoke a/../b')).toMatchObject({ code: 0, out: 'revoked a/../b' });
    expect(seen[0]).toMatchObject({ method: 'DELETE', url: '/v1/api-keys/a%2F..%2Fb' });
  });

  it('says code, field and detail of what the service refuses, and ends with 1', async () => {
    reply = {
      status: 400,
      body: JSON.stringify({
        code: 'ERR_VALIDATION',
        title: 'The request is not valid',
        field: 'name',
        detail: 'too long',
      }),
    };
    expect(await run('api-keys create --name x --scope admin')).toEqual({
      code: 1,
      out: '',
      err: 'curfew: ERR_VALIDATION: The request is not valid (field name, too long)',
    });
  });

  it('prefers options to the environment, and the environment to the data folder', async () => {
    const file = join(folder, 'other-key');
    writeFileSync(file, 'cfk_other');
    const env = { CURFEW_URL: url, CURFEW_API_KEY: 'cfk_env', CURFEW_DATA_DIR: '/nowhere' };
    reply = { status: 200, body: '{"apiKeys":[]}' };
    await run('api-keys list', env);
    await run(`api-keys list --api-key-file ${file}`, env);
    await run('api-keys list', { CURFEW_URL: url, CURFEW_API_KEY_FILE: file });
    await run(`api-keys list --data-dir ${folder}`, {});
    expect(seen.map(({ authorization }) => authorization)).toEqual([
      'Bearer cfk_env',
      'Bearer cfk_other',
      'Bearer cfk_other',
      'Bearer cfk_first',
    ]);
  });

  it.each([
    ['no service', 'api-keys list --data-dir /nowhere', 'no service runs on /nowhere'],
    ['no key', 'api-keys list --url http://127.0.0.1:1 --data-dir /nowhere', 'no API key'],
    ['a key file that is not there', 'api-keys list --api-key-file /nowhere', 'holds no key'],
    ['a URL that is none', 'api-keys list --url ftp://x', 'must begin with'],
    ['plain http to elsewhere', 'api-keys list --url http://example.com', 'plain http'],
    ['the first key to elsewhere', 'api-keys list --url https://example.com', 'no API key'],
    ['no scope', 'api-keys create --name x', '--scope'],
    ['an unknown scope', 'api-keys create --name x --scope root', 'sessions:issue'],
    ['an unknown command', 'api-keys destroy', 'unknown command'],
  ])('refuses %s with 2', async (_name, words, complaint) => {
    const { code, out, err } = await run(words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(complaint);
    expect(seen).toEqual([]);
  });

  it('ends with 3 when nothing answers, or something else does', async () => {
    const env = { CURFEW_API_KEY: 'cfk_x' };
    expect(await run('api-keys list --url http://127.0.0.1:1', env)).toMatchObject({ code: 3 });
    reply = { status: 200, body: '<html>' };
    expect(await run(`api-keys list --url ${url}`, env)).toMatchObject({ code: 3 });
    reply = { status: 302, body: '' };
    expect(await run(`api-keys list --url ${url}`, env)).toMatchObject({ code: 3 });
  });

  it('shows its help', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('api-keys') as unknown,
    });
  });
});
