import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#platform';
import { acquireServer } from '../../libs/platform/embedded-postgres/acquire-server.js';
import { openDataCluster } from '../../libs/platform/embedded-postgres/data-cluster.js';
import { findServerBinaries } from '../../libs/platform/embedded-postgres/server-binaries.js';
import { stopServer } from '../../libs/platform/embedded-postgres/server-process.js';

jest.setTimeout(60_000);

const IS_ROOT = process.getuid?.() === 0;
const ORDINARY_USER = 65_534;
const SUPPORT = join(import.meta.dirname, '..', 'support');

interface Service {
  readonly process: ChildProcess;
  /** What it printed: where its server is, or why it has none. */
  readonly said: { url: string; pid: number; port: number; code?: string; detail?: string };
}

const folders: string[] = [];
const services: ChildProcess[] = [];
const servers: EmbeddedPostgres[] = [];

/** Outside of any folder that only root can enter, unless `closed`. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'curfew-embedded-'));
  folders.push(folder);
  return folder;
}

async function start(folder: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder });
  servers.push(server);
  return server;
}

async function startService(folder: string, command = [process.execPath]): Promise<Service> {
  const [program = '', ...first] = command;
  const child = spawn(
    program,
    [...first, '--import', join(SUPPORT, 'run-typescript.cjs'), join(SUPPORT, 'embedded-service.ts'), folder],
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true, cwd: '/' },
  );
  services.push(child);
  const lines = createInterface(child.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  return { process: child, said: JSON.parse(line) as Service['said'] };
}

async function end(service: Service, signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(service.process, 'exit');
  service.process.kill(signal);
  return ((await exit) as [number | null])[0];
}

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

const write = (url: string): Promise<unknown> => query(url, `CREATE TABLE note AS SELECT 'kept' AS word`);
const read = async (url: string): Promise<unknown> =>
  (await query<{ word: string }>(url, 'SELECT word FROM note'))[0]?.word;

/** Every process, PostgreSQL's helpers too, whose command line or working folder lies in the folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .split('\0')
        .includes(join(folder, 'postgres', 'data'));
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('waited 20 s in vain');
    await delay(10);
  }
}

afterEach(async () => {
  for (const service of services.splice(0)) service.kill('SIGKILL');
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const folder of folders.splice(0)) {
    for (const pid of processesIn(folder)) process.kill(Number(pid), 'SIGQUIT');
    await until(() => processesIn(folder).length === 0);
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('an embedded PostgreSQL', () => {
  it('keeps its data over a clean restart and leaves no process behind', async () => {
    const folder = newFolder();
    const first = await start(folder);
    await write(first.url);
    await first.stop();
    await first.stop();
    expect(processesIn(folder)).toEqual([]);

    const second = await start(folder);
    expect(await read(second.url)).toBe('kept');
    await second.stop();
    expect(processesIn(folder)).toEqual([]);
  });

  it('is durable, asks for the password, listens on loopback only and keeps others out of its files', async () => {
    const folder = newFolder();
    const { url } = await start(folder);
    const settings = await query<{ name: string; setting: string }>(
      url,
      `SELECT name, setting FROM pg_settings WHERE name IN
        ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'unix_socket_directories', 'data_checksums')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      data_checksums: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
    });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'postgres', 'password')).mode & 0o777).toBe(0o600);
    const methods = await query<{ auth_method: string }>(
      url,
      'SELECT DISTINCT auth_method FROM pg_hba_file_rules',
    );
    expect(methods).toEqual([{ auth_method: 'scram-sha-256' }]);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('refuses a second instance on the folder, by name, and the first goes on', async () => {
    const folder = newFolder();
    const first = await start(folder);
    await write(first.url);
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({
      code: 'ERR_DATA_FOLDER_IN_USE',
      detail: expect.stringContaining(folder) as unknown,
    });
    const other = await startService(folder);
    expect(other.said).toMatchObject({ code: 'ERR_DATA_FOLDER_IN_USE' });
    expect(await read(first.url)).toBe('kept');
  });

  it('comes up once when two first starts race', async () => {
    const folder = newFolder();
    const said = (await Promise.all([startService(folder), startService(folder)])).map(
      (service) => service.said,
    );
    const winners = said.filter((line) => line.code === undefined);
    expect(winners).toHaveLength(1);
    expect(said.find((line) => line.code !== undefined)).toMatchObject({ code: 'ERR_DATA_FOLDER_IN_USE' });
    expect(readdirSync(folder)).toEqual(['postgres']);
    await write(winners[0]?.url ?? '');
    expect(await read(winners[0]?.url ?? '')).toBe('kept');
  });

  it('G9: is taken over with its data when only the service was killed', async () => {
    const folder = newFolder();
    const service = await startService(folder);
    await write(service.said.url);
    await end(service, 'SIGKILL');
    expect(processesIn(folder)).not.toEqual([]);

    const next = await start(folder);
    expect(next.pid).toBe(service.said.pid);
    expect(await read(next.url)).toBe('kept');
    await next.stop();
    expect(processesIn(folder)).toEqual([]);
  });

  it('G9: recovers what it acknowledged when service and server were both killed', async () => {
    const folder = newFolder();
    const service = await startService(folder);
    await write(service.said.url);
    process.kill(service.said.pid, 'SIGKILL');
    await end(service, 'SIGKILL');

    const next = await start(folder);
    expect(next.pid).not.toBe(service.said.pid);
    expect(await read(next.url)).toBe('kept');
  });

  it('tells the service when the server was killed under it', async () => {
    const service = await startService(newFolder());
    const exit = once(service.process, 'exit');
    process.kill(service.said.pid, 'SIGKILL');
    expect((await exit)[0]).toBe(3);
  });

  it('stays with its service when one of its connections crashes', async () => {
    const folder = newFolder();
    const server = await start(folder);
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const broken = new Promise((done) => client.once('end', done));
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
    await broken;
    const holders = `SELECT FROM pg_locks WHERE locktype = 'advisory'`;
    for (let locked = 0; locked === 0;) locked = (await query(server.url, holders).catch(() => [])).length;
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({ code: 'ERR_DATA_FOLDER_IN_USE' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'outlives %s to the whole group until the service stops it',
    async (signal) => {
      const folder = newFolder();
      const service = await startService(folder);
      const exit = once(service.process, 'exit');
      process.kill(-(service.process.pid ?? 0), signal);
      expect((await exit)[0]).toBe(0);
      expect(processesIn(folder)).toEqual([]);
      const next = await start(folder);
      expect(await query(next.url, 'SELECT word FROM farewell')).toEqual([
        { word: 'written after the signal' },
      ]);
    },
  );

  it('starts although the pid of its killed server now belongs to another program of the same user', async () => {
    const folder = newFolder();
    const first = await start(folder);
    await write(first.url);
    await first.stop();
    const owner = statSync(join(folder, 'postgres', 'data'));
    const stranger = spawn('sleep', ['60'], { uid: owner.uid, gid: owner.gid });
    services.push(stranger);
    await once(stranger, 'spawn');
    const file = join(folder, 'postgres', 'data', 'postmaster.pid');
    const now = Math.floor(Date.now() / 1000);
    writeFileSync(file, `${stranger.pid}\n${join(folder, 'postgres', 'data')}\n${now}\n${first.port}\n`, {
      mode: 0o600,
    });
    chownSync(file, owner.uid, owner.gid);
    expect(await read((await start(folder)).url)).toBe('kept');
  });

  it('a copy of the folder is a server of its own', async () => {
    const [folder, copy] = [newFolder(), newFolder()];
    const original = await start(folder);
    await write(original.url);
    await query(original.url, 'CHECKPOINT');
    // With owners and modes, as an operator copies; `cpSync` of some Node versions widens the modes of folders.
    execFileSync('cp', ['-a', `${folder}/.`, copy]);
    const second = await start(copy);
    expect(second.port).not.toBe(original.port);
    expect(await read(second.url)).toBe('kept');
  });

  it('says why it cannot start, and leaves no process behind', async () => {
    const folder = newFolder();
    await (await start(folder)).stop();
    writeFileSync(join(folder, 'postgres', 'data', 'PG_VERSION'), '9.6\n');
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      detail: expect.stringContaining('incompatible') as unknown,
    });
    expect(processesIn(folder)).toEqual([]);
  });

  it('leaves a folder alone that is open to others and holds other files', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'thesis.txt'), 'precious');
    chmodSync(folder, 0o755);
    await expect(startEmbeddedPostgres({ folder })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
  });

  it('starts in a folder that holds other files and that only its owner can enter', async () => {
    const parent = newFolder();
    writeFileSync(join(parent, 'other'), '');
    const before = statSync(parent);
    const server = await start(join(parent, 'data'));
    await write(server.url);
    expect(await read(server.url)).toBe('kept');
    expect([statSync(parent).uid, statSync(parent).mode]).toEqual([before.uid, before.mode]);
    expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0);
    await server.stop();
    expect(processesIn(join(parent, 'data'))).toEqual([]);
  });

  it('runs programs that are installed where only their owner can enter', async () => {
    const clone = newFolder();
    const installed = findServerBinaries();
    cpSync(dirname(dirname(installed.initdb)), join(clone, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const binaries = {
      initdb: join(clone, 'native', 'bin', 'initdb'),
      postgres: join(clone, 'native', 'bin', 'postgres'),
    };
    const cluster = await openDataCluster(join(clone, 'data'), binaries);
    const { pid, lock } = await acquireServer(cluster, binaries);
    expect((await lock.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await stopServer(pid, cluster.dataFolder);
    expect(processesIn(cluster.folder)).toEqual([]);
  });

  it('starts as an ordinary user', async () => {
    const folder = newFolder();
    if (IS_ROOT) chownSync(folder, ORDINARY_USER, ORDINARY_USER);
    const service = await startService(folder, IS_ROOT ? asOrdinaryUser() : undefined);
    expect(service.said.code).toBeUndefined();
    await write(service.said.url);
    expect(await end(service, 'SIGTERM')).toBe(0);
    expect(processesIn(folder)).toEqual([]);
    // Root goes on with an ordinary user's data, as that user.
    expect(await read((await start(folder)).url)).toBe('kept');
  });
});

/** May read the repository even if that is in a folder of root's. */
function asOrdinaryUser(): string[] {
  const privileges = ['--clear-groups', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return [
    'setpriv',
    `--reuid=${ORDINARY_USER}`,
    `--regid=${ORDINARY_USER}`,
    ...privileges,
    '--',
    process.execPath,
  ];
}
