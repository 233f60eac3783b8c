import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CurfewError } from '#contracts';
import { chooseAccount, spawnAs, type ServerAccount } from './server-account.js';
import type { ServerBinaries } from './server-binaries.js';

/** The name of the server's only user. */
export const SERVER_USER = 'curfew';

/** A database cluster on disk: `<folder>/postgres` holds `data`, `password` and `server.log`. */
export interface DataCluster {
  /** As the caller named it. */
  readonly folder: string;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly password: string;
  readonly account: ServerAccount;
}

/**
 * Opens the cluster in `folder`; makes it at the first start.
 * @throws CurfewError ERR_CONFIG when the folder cannot be used
 */
export async function openDataCluster(folder: string, binaries: ServerBinaries): Promise<DataCluster> {
  const root = await preparePrivateFolder(resolve(folder));
  const home = join(root, 'postgres');
  const dataFolder = join(home, 'data');
  const account = chooseAccount(dataFolder);
  await giveFolderIfEmpty(root, account);
  if (!existsSync(home)) await createCluster(root, home, account, binaries);
  return {
    folder: root,
    dataFolder,
    logFile: join(home, 'server.log'),
    password: await readPassword(join(home, 'password')),
    account,
  };
}

/** Removes what starts that were killed during initdb left behind. Only for the one that holds the instance lock. */
export async function removeUnfinishedClusters(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(UNFINISHED)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

const UNFINISHED = '.unfinished-';

async function preparePrivateFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const root = await realpath(folder);
    const { mode } = await stat(root);
    if ((mode & 0o077) !== 0) {
      // A folder with other things in it is not ours to close.
      if (!(await isOurs(root))) {
        throw new CurfewError('ERR_CONFIG', {
          detail: `The data folder ${folder} is open to other users and holds other files. Use an empty folder, or one of mode 0700.`,
        });
      }
      await chmod(root, 0o700);
    }
    return root;
  } catch (cause) {
    if (cause instanceof CurfewError) throw cause;
    throw new CurfewError('ERR_CONFIG', { detail: `The data folder ${folder} cannot be used`, cause });
  }
}

async function isOurs(root: string): Promise<boolean> {
  return existsSync(join(root, 'postgres', 'data', 'PG_VERSION')) || (await readdir(root)).length === 0;
}

/** The server's user has to enter the folder. One that holds other files keeps its owner. */
async function giveFolderIfEmpty(root: string, account: ServerAccount): Promise<void> {
  if (account.kind === 'same-user' || (await readdir(root)).length > 0) return;
  await chown(root, account.uid, account.gid);
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new CurfewError('ERR_CONFIG', { detail: `The password file ${file} cannot be read`, cause });
  }
}

/** Builds it beside its place and renames: a start that is killed, or two first starts at once, leave no half cluster. */
async function createCluster(
  root: string,
  home: string,
  account: ServerAccount,
  binaries: ServerBinaries,
): Promise<void> {
  const building = join(root, `${UNFINISHED}${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(building, { mode: 0o700 });
    const password = randomBytes(24).toString('base64url');
    await writeFile(join(building, 'password'), password, { mode: 0o600, flag: 'wx' });
    if (account.kind === 'other-user') {
      await chown(building, account.uid, account.gid);
      await chown(join(building, 'password'), account.uid, account.gid);
    }
    await runInitdb(building, account, binaries);
    await flush(join(building, 'password'), building);
    await rename(building, home);
    // Without these an outage of the machine could undo the rename beneath a log that has acknowledged events.
    await flush(root, dirname(root));
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}

async function runInitdb(building: string, account: ServerAccount, binaries: ServerBinaries): Promise<void> {
  const args = [
    `--pgdata=${join(building, 'data')}`,
    `--username=${SERVER_USER}`,
    `--pwfile=${join(building, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
  ];
  const child = spawnAs(account, binaries.initdb, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    folders: [building],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (code !== 0) {
    throw new CurfewError('ERR_CONFIG', {
      detail: `PostgreSQL's initdb failed in ${dirname(building)}: ${said.trim()}`,
    });
  }
}

/** As far as the system lets us: some file systems cannot flush a folder, and a parent may not be ours to read. */
async function flush(...paths: string[]): Promise<void> {
  for (const path of paths) {
    const handle = await open(path, 'r').catch(() => undefined);
    await handle?.sync().catch(() => undefined);
    await handle?.close();
  }
}
