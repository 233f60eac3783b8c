import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publint } from 'publint';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGE = join(ROOT, 'libs/sdk/npm');
const DIST = join(PACKAGE, 'dist');
/** DESIGN §13: the SDK core is at most 8 kB, compressed. */
const CORE_BUDGET = 8 * 1024;

/** A plain Express app with the adapter beside express-session, which calls itself once and prints what it saw. */
const APP = `
const session = { sid: 'a'.repeat(32), sub: 'user-1', tenant: 'default', clientId: 'default', gen: 0, expiresAt: 2e9, claims: {} };
const claims = Buffer.from(JSON.stringify({ sid: session.sid })).toString('base64url');
const issued = { sid: session.sid, refreshToken: 'cfr_' + 'A'.repeat(116), refreshExpiresAt: 2e9, accessToken: 'h.' + claims + '.s', accessExpiresAt: 2e9, gen: 0, position: '1' };
const node = {
  verify: async (token) => { if (token === issued.accessToken) return session; throw new CurfewSdkError('ERR_TOKEN_REFUSED', 401, 'The token is refused'); },
  sessions: { create: async () => issued, revoke: async () => ({ revoked: true, position: '2' }) },
};
const app = express();
app.use(expressSession({ secret: 's', resave: false, saveUninitialized: true }));
app.use(curfew({ node, insecureLoopback: true }));
app.post('/login', async (req, res) => res.json(await req.curfew.login({ sub: 'user-1' })));
app.get('/me', requireSession(), (req, res) => res.json({ sub: req.curfew.require().sub, beside: typeof req.session.cookie }));
app.use(curfewErrors());
const server = app.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port;
  const anonymous = await fetch(url + '/me');
  const login = await fetch(url + '/login', { method: 'POST' });
  const cookie = login.headers.getSetCookie().map((header) => header.split(';')[0]).join('; ');
  const me = await fetch(url + '/me', { headers: { cookie } });
  console.log(JSON.stringify({ anonymous: anonymous.status, problem: (await anonymous.json()).code, names: cookie.replace(/=[^;]*/g, ''), me: await me.json(), core: typeof createCurfew }));
  server.close();
});
`;
const SEEN = {
  anonymous: 401,
  problem: 'ERR_TOKEN_REFUSED',
  names: 'curfew-loopback; curfew-loopback-refresh; connect.sid',
  me: { sub: 'user-1', beside: 'object' },
  core: 'function',
};

/** A node over Kafka without brokers: it says what is wrong with its options, and ends with `close`. */
const KAFKA_APP = `
const options = { service: 'http://127.0.0.1:1', watch: 'http://127.0.0.1:1', apiKey: 'k', issuer: 'i', audience: 'a', tenant: 't' };
const refusal = (change) => {
  try {
    createCurfew({ ...options, revocations: kafkaRevocations({ kafka: { brokers: ['127.0.0.1:1'] } }), ...change });
  } catch (error) { return [error instanceof CurfewSdkError, error.code, error.field]; }
};
const revocations = kafkaRevocations({ kafka: new Kafka({ brokers: ['127.0.0.1:1'] }) });
const node = createCurfew({ ...options, revocations });
node.close().then(() => console.log(JSON.stringify([refusal({ stalenessBound: 500 }), revocations.stats().consumers])));
`;
const KAFKA_SEEN = [[true, 'ERR_CONFIG', 'stalenessBound'], 0];

/** What users write in TypeScript, where every name has its type. */
const TYPED = `
import express from 'express';
import { createCurfew, CurfewSdkError, type Session } from '@curfew/sdk';
import { curfew, requireSession, type LoginResult } from '@curfew/sdk/express';
import { curfewMetrics } from '@curfew/sdk/prometheus';
import { kafkaRevocations, type KafkaRevocations } from '@curfew/sdk/kafka';

const revocations: KafkaRevocations = kafkaRevocations({ kafka: { brokers: ['kafka:9092'], ssl: true }, fallback: 'watch' });
// @ts-expect-error: it needs to know the brokers
kafkaRevocations({});
export const counted: number = revocations.stats().renewals;

const node = createCurfew({ service: 'http://s', watch: 'http://w', apiKey: 'k', issuer: 'i', audience: 'a', tenant: 't', revocations });
const app: express.Express = express().use(curfew({ node, mount: '/session' }));
app.get('/', requireSession(), async (req) => {
  const session: Session | undefined = req.curfew.session;
  const claims: string = req.curfew.require().claims.client_id;
  const login: Promise<LoginResult> = req.curfew.login({ sub: claims });
  // @ts-expect-error: the session is not the user's to set
  req.curfew.session = session;
  // @ts-expect-error: a login has a subject
  await req.curfew.login({});
  return login;
});
app.get('/transfer', requireSession({ maxStaleness: 500 }), async (req) => node.verify('', { maxStaleness: 500 }));
export const scraped: string = curfewMetrics(node);
export const isRefused = (error: unknown) => error instanceof CurfewSdkError && error.code === 'ERR_TOKEN_REFUSED';
// @ts-expect-error: no such code
export const unknownCode = (error: CurfewSdkError) => error.code === 'ERR_NO_SUCH_CODE';
`;

describe('the package @curfew/sdk', () => {
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'curfew-sdk-'));
    await run(
      process.execPath,
      [join(ROOT, 'node_modules/tsdown/dist/run.mjs'), '--config', 'libs/sdk/tsdown.config.ts'],
      {
        cwd: ROOT,
      },
    );
    const packed = await run('npm', ['pack', PACKAGE, '--pack-destination', folder, '--json'], {
      cwd: folder,
    });
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    tarball = join(folder, filename);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A project that has installed the tarball without a registry, and has Express and kafkajs from this repository. */
  async function project(name: string, manifest: object = {}): Promise<string> {
    const path = join(folder, name);
    await mkdir(path);
    await writeFile(join(path, 'package.json'), JSON.stringify({ name, private: true, ...manifest }));
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: path });
    for (const dependency of ['express', 'express-session', 'kafkajs', '@types']) {
      await symlink(join(ROOT, 'node_modules', dependency), join(path, 'node_modules', dependency));
    }
    return path;
  }

  it('runs in a plain ESM app, beside express-session', async () => {
    const path = await project('esm', { type: 'module' });
    const imports = `
      import express from 'express';
      import expressSession from 'express-session';
      import { createCurfew, CurfewSdkError } from '@curfew/sdk';
      import { curfew, curfewErrors, requireSession } from '@curfew/sdk/express';`;
    await writeFile(join(path, 'app.js'), imports + APP);
    expect(JSON.parse((await run(process.execPath, ['app.js'], { cwd: path })).stdout)).toEqual(SEEN);
  }, 60_000);

  it('runs in a plain CommonJS app, beside express-session', async () => {
    const path = await project('cjs');
    const imports = `
      const express = require('express');
      const expressSession = require('express-session');
      const { createCurfew, CurfewSdkError } = require('@curfew/sdk');
      const { curfew, curfewErrors, requireSession } = require('@curfew/sdk/express');`;
    await writeFile(join(path, 'app.js'), imports + APP);
    expect(JSON.parse((await run(process.execPath, ['app.js'], { cwd: path })).stdout)).toEqual(SEEN);
  }, 60_000);

  it.each([
    [
      'ESM',
      `import { Kafka } from 'kafkajs';
      import { createCurfew, CurfewSdkError } from '@curfew/sdk';
      import { kafkaRevocations } from '@curfew/sdk/kafka';`,
    ],
    [
      'CommonJS',
      `const { Kafka } = require('kafkajs');
      const { createCurfew, CurfewSdkError } = require('@curfew/sdk');
      const { kafkaRevocations } = require('@curfew/sdk/kafka');`,
    ],
  ])(
    'runs over Kafka in %s, with the kafkajs of the app, and keeps no process alive',
    async (kind, imports) => {
      const path = await project(`kafka-${kind}`.toLowerCase(), kind === 'ESM' ? { type: 'module' } : {});
      await writeFile(join(path, 'app.js'), imports + KAFKA_APP);
      const { stdout } = await run(process.execPath, ['app.js'], { cwd: path, timeout: 10_000 });
      expect(JSON.parse(stdout)).toEqual(KAFKA_SEEN);
    },
    60_000,
  );

  it('needs no kafkajs where Kafka is not used, and bundles none', async () => {
    const path = await project('without-kafkajs', { type: 'module' });
    await rm(join(path, 'node_modules/kafkajs'));
    await writeFile(join(path, 'app.js'), `import '@curfew/sdk'; import '@curfew/sdk/express';`);
    await run(process.execPath, ['app.js'], { cwd: path });
    await writeFile(join(path, 'app.js'), `import '@curfew/sdk/kafka';`);
    await expect(run(process.execPath, ['app.js'], { cwd: path })).rejects.toThrow(/kafkajs/);
    const source = await readFile(join(DIST, 'kafka.mjs'), 'utf8');
    expect(source).not.toMatch(/ERR_VALIDATION|KafkaJSProtocolError/);
  }, 60_000);

  it('has the right types in ESM and in CommonJS', async () => {
    const path = await project('typed');
    await writeFile(join(path, 'esm.mts'), TYPED);
    await writeFile(join(path, 'cjs.cts'), TYPED);
    const compilerOptions = {
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      esModuleInterop: true,
    };
    await writeFile(
      join(path, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['esm.mts', 'cjs.cts'] }),
    );
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', path]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  }, 60_000);

  it('passes publint and are-the-types-wrong', async () => {
    const bytes = await readFile(tarball);
    const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const { messages } = await publint({ pack: { tarball: data }, strict: true });
    expect(messages).toEqual([]);
    const checked = await checkPackage(createPackageFromTarballData(bytes));
    // TypeScript's old `node10` resolution knows no subpaths; TypeScript 6 deprecates it.
    const problems = 'problems' in checked ? checked.problems : [{ kind: 'no types' }];
    expect(
      problems.filter((problem) => !('resolutionKind' in problem && problem.resolutionKind === 'node10')),
    ).toEqual([]);
  }, 60_000);

  // The core is what a node loads that verifies: not the session calls, which come with the first of them (ADR 21).
  it('has a core that imports node: modules only, of at most 8 kB compressed', async () => {
    const pending = ['index.mjs'];
    const sources = new Map<string, Buffer>();
    const outside = new Set<string>();
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      if (sources.has(file)) continue;
      const source = await readFile(join(DIST, file));
      sources.set(file, source);
      for (const [, specifier = ''] of source
        .toString()
        .matchAll(/(?:\bfrom|\bimport)\s*["'`]([^"'`]+)["'`]/g)) {
        if (specifier.startsWith('./')) pending.push(specifier.slice(2));
        else outside.add(specifier);
      }
    }
    // The index and the one chunk that all entries share.
    expect([...sources.keys()].map((name) => name.replace(/-[\w-]+(?=\.)/, ''))).toEqual([
      'index.mjs',
      'core.mjs',
    ]);
    expect(outside.size).toBeGreaterThan(0);
    expect([...outside].filter((specifier) => !specifier.startsWith('node:'))).toEqual([]);
    const size = gzipSync(Buffer.concat([...sources.values()]), { level: 9 }).length;
    expect(size).toBeLessThanOrEqual(CORE_BUDGET);
  });

  it('ships the build, its README and its manifest, with no dependency and nothing of the specs', async () => {
    const installed = join(await project('files'), 'node_modules/@curfew/sdk');
    expect((await readdir(installed)).sort()).toEqual(['README.md', 'dist', 'package.json']);
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect([manifest['dependencies'], manifest['sideEffects'], manifest['imports']]).toEqual([
      undefined,
      false,
      undefined,
    ]);
    const files = await readdir(join(installed, 'dist'));
    for (const file of files)
      expect(file).toMatch(
        /^(index|express|kafka|prometheus|core|sessions-client|revocation-source)(-[\w-]+)?\.(d\.)?[cm](js|ts)(\.map)?$/,
      );
    for (const file of files.filter((name) => !name.endsWith('.map'))) {
      const text = await readFile(join(installed, 'dist', file), 'utf8');
      expect([file, /#contracts|SessionNodeDouble/.exec(text)?.[0]]).toEqual([file, undefined]);
    }
  }, 60_000);
});
