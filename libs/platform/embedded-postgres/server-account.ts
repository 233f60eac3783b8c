import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { CurfewError } from '#contracts';

/** Who runs the server. PostgreSQL refuses to run as root. */
export type ServerAccount =
  | { readonly kind: 'same-user' }
  /** The service is root: the server runs as this user. */
  | { readonly kind: 'other-user'; readonly uid: number; readonly gid: number };

const ROOT = 0;
/** Existing users, in order of preference. Nothing is added to the system's users. */
const CANDIDATES = ['postgres', 'nobody'];

/**
 * Chooses the account: the owner of the data if there are some, so that a user who is added later changes nothing.
 * @throws CurfewError ERR_CONFIG
 */
export function chooseAccount(dataFolder: string): ServerAccount {
  const self = process.getuid?.();
  const owner = existsSync(dataFolder) ? statSync(dataFolder) : undefined;
  if (self !== ROOT) {
    if (owner !== undefined && self !== undefined && owner.uid !== self) {
      throw new CurfewError('ERR_CONFIG', {
        detail: `${dataFolder} belongs to the user with id ${owner.uid}, but this process runs as ${self}`,
      });
    }
    requireUserName();
    return { kind: 'same-user' };
  }
  if (owner !== undefined && owner.uid !== ROOT) {
    return { kind: 'other-user', uid: owner.uid, gid: owner.gid };
  }
  for (const name of CANDIDATES) {
    const uid = idOf('-u', name);
    const gid = idOf('-g', name);
    if (uid !== undefined && gid !== undefined) return { kind: 'other-user', uid, gid };
  }
  throw new CurfewError('ERR_CONFIG', {
    detail:
      `PostgreSQL does not run as root, and there is none of the users ${CANDIDATES.join(', ')} to run it as. ` +
      'Start as an ordinary user, or set DATABASE_URL.',
  });
}

/** initdb stops without a name for the user id, which a container can lack. */
function requireUserName(): void {
  try {
    userInfo();
  } catch (cause) {
    throw new CurfewError('ERR_CONFIG', {
      detail:
        'The user id of this process has no name (no entry in /etc/passwd), and PostgreSQL needs one. ' +
        'Start as another user, or set DATABASE_URL.',
      cause,
    });
  }
}

function idOf(flag: '-u' | '-g', name: string): number | undefined {
  try {
    const id = Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
    return Number.isInteger(id) && id !== ROOT ? id : undefined;
  } catch {
    return undefined;
  }
}

/** PostgreSQL looks for its programs with access(2), which heeds a capability of a user other than root only with the bit. */
const KEEP_ENTERING = [
  '--inh-caps=+dac_override',
  '--ambient-caps=+dac_override',
  '--securebits=+no_setuid_fixup',
  '--',
];

/**
 * Starts a program as the account, in a session of its own: the terminal's Ctrl-C must not reach PostgreSQL before the
 * service has stopped using it.
 *
 * Where the account cannot enter one of the folders (root's clone in /root or in a `mktemp -d`), the program keeps the one
 * capability that lets it: root less all other privileges.
 * @throws CurfewError ERR_CONFIG when that is impossible
 */
export function spawnAs(
  account: ServerAccount,
  program: string,
  args: readonly string[],
  options: { stdio: SpawnOptions['stdio']; folders: readonly string[]; env?: NodeJS.ProcessEnv },
): ChildProcess {
  const spawnOptions: SpawnOptions = {
    stdio: options.stdio,
    detached: true,
    cwd: '/',
    env: serverEnvironment(options.env),
  };
  if (account.kind === 'same-user') return spawn(program, args, spawnOptions);
  const closed = [dirname(program), ...options.folders].find((folder) => !canEnter(account, folder));
  if (closed === undefined) {
    return spawn(program, args, { ...spawnOptions, uid: account.uid, gid: account.gid });
  }
  requireSetpriv(account, closed);
  const privileges = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', ...KEEP_ENTERING];
  return spawn('setpriv', [...privileges, program, ...args], spawnOptions);
}

/** Nothing of the service's environment reaches the server: neither secrets nor `PG…` settings. */
function serverEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', ...extra };
}

/** By mode bits alone: an access list that grants more is not seen, and the capability is then merely superfluous. */
function canEnter(account: { uid: number; gid: number }, folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    const { mode, uid, gid } = statSync(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

function requireSetpriv(account: { uid: number; gid: number }, closed: string): void {
  try {
    execFileSync('setpriv', [...KEEP_ENTERING, 'true'], { stdio: 'ignore' });
  } catch (cause) {
    throw new CurfewError('ERR_CONFIG', {
      detail:
        `PostgreSQL does not run as root, and the user with id ${account.uid} that it would run as cannot enter ` +
        `${closed}. Start as an ordinary user, move the folder to where others can enter, or set DATABASE_URL.`,
      cause,
    });
  }
}
