import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { json, openFakeDoor, type FakeDoor } from './testing/fake-door.js';

let door: FakeDoor;
beforeAll(async () => {
  door = await openFakeDoor();
});
beforeEach(() => door.reset());
afterAll(() => door.close());

const run = (words: string, env?: Record<string, string>) => door.run(words, env ? { env } : {});
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
    door.reply = () => json({ ...KEY, key: 'cfk_secret' }, 201);
    const { code, out } = await run(
      'api-keys create --name login --scope sessions:issue sessions:revoke --scope sessions:issue --tenant acme --audience api',
    );
    expect(code).toBe(0);
    expect(out).toContain('cfk_secret');
    expect(door.seen).toEqual([
      {
        method: 'POST',
        url: '/v1/api-keys',
        authorization: 'Bearer cfk_first',
        idempotencyKey: undefined,
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
    const answer = { apiKeys: [KEY, { ...KEY, id: 'k2', revokedAt: 60 }] };
    door.reply = () => json(answer);
    const { out } = await run('api-keys list');
    expect(out.split('\n').map((line) => line.split(/\s{2,}/).slice(0, 4))).toEqual([
      ['ID', 'NAME', 'CREATED', 'STATE'],
      ['k1', 'login', '1970-01-01 00:00', 'in force'],
      ['k2', 'login', '1970-01-01 00:00', 'revoked 1970-01-01 00:01'],
    ]);
    expect(JSON.parse((await run('api-keys list --json')).out)).toEqual(answer);
  });

  it('revokes, whatever the id looks like', async () => {
    door.reply = () => ({ status: 204, body: '' });
    expect(await run('api-keys revoke a/../b')).toMatchObject({ code: 0, out: 'revoked a/../b' });
    expect(door.seen[0]).toMatchObject({ method: 'DELETE', url: '/v1/api-keys/a%2F..%2Fb' });
  });

  it('says code, field and detail of what the service refuses, and ends with 1', async () => {
    const title = 'The request is not valid';
    door.reply = () => json({ code: 'ERR_VALIDATION', title, field: 'name', detail: 'too long' }, 400);
    expect(await run('api-keys create --name x --scope admin')).toEqual({
      code: 1,
      out: '',
      err: 'curfew: ERR_VALIDATION: The request is not valid (field name, too long)',
    });
  });

  it('prefers options to the environment, and the environment to the data folder', async () => {
    const file = join(door.folder, 'other-key');
    writeFileSync(file, 'cfk_other');
    const env = { CURFEW_URL: door.url, CURFEW_API_KEY: 'cfk_env', CURFEW_DATA_DIR: '/nowhere' };
    door.reply = () => json({ apiKeys: [] });
    await run('api-keys list', env);
    await run(`api-keys list --api-key-file ${file}`, env);
    await run('api-keys list', { CURFEW_URL: door.url, CURFEW_API_KEY_FILE: file });
    await run(`api-keys list --data-dir ${door.folder}`, {});
    expect(door.seen.map(({ authorization }) => authorization)).toEqual([
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
    expect(door.seen).toEqual([]);
  });

  it('ends with 3 when nothing answers, or something else does', async () => {
    const env = { CURFEW_API_KEY: 'cfk_x' };
    expect(await run('api-keys list --url http://127.0.0.1:1', env)).toMatchObject({ code: 3 });
    door.reply = () => ({ status: 200, body: '<html>' });
    expect(await run(`api-keys list --url ${door.url}`, env)).toMatchObject({ code: 3 });
    door.reply = () => ({ status: 302, body: '' });
    expect(await run(`api-keys list --url ${door.url}`, env)).toMatchObject({ code: 3 });
  });

  it('shows its help', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const command of ['api-keys', 'revoke', 'sessions', 'feed', 'projections'])
      expect(out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  });
});
