import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from './cli-error.js';

/** Options of every command. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly apiKeyFile?: string;
  readonly dataDir?: string;
}

export interface Connection {
  readonly url: string;
  readonly apiKey: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(
      'usage',
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  }
}

async function readKeyFile(file: string, setting: string): Promise<string> {
  const key = await readIfThere(file);
  if (key === undefined) throw new CliError('usage', `${setting}: ${file} holds no key`);
  return key;
}

async function embeddedUrl(folder: string): Promise<string | undefined> {
  const text = await readIfThere(join(folder, 'endpoints.json'));
  if (text === undefined) return undefined;
  try {
    const { http } = JSON.parse(text) as { http?: unknown };
    return typeof http === 'string' ? http : undefined;
  } catch {
    throw new CliError('usage', `${join(folder, 'endpoints.json')} is not what the service writes`);
  }
}

function checked(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new CliError('usage', 'the URL of the service must begin with https:// or http://');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw new CliError('usage', `no API key goes to ${url.hostname} over plain http: use https`);
  return url;
}

/**
 * Where the service is and which API key to use: options first, then the environment, then the data folder of an embedded
 * service. Its first key goes to an address on this machine only.
 * @throws CliError
 */
export async function findConnection(options: ConnectionOptions, env: Variables): Promise<Connection> {
  const folder = options.dataDir ?? env['CURFEW_DATA_DIR'] ?? './.curfew';
  const text = options.url ?? env['CURFEW_URL'] ?? (await embeddedUrl(folder));
  if (text === undefined)
    throw new CliError('usage', `no service runs on ${folder}: start one, or set --url or CURFEW_URL`);
  const url = checked(text);
  const apiKey =
    options.apiKeyFile !== undefined
      ? await readKeyFile(options.apiKeyFile, '--api-key-file')
      : (env['CURFEW_API_KEY'] ??
        (env['CURFEW_API_KEY_FILE'] !== undefined
          ? await readKeyFile(env['CURFEW_API_KEY_FILE'], 'CURFEW_API_KEY_FILE')
          : LOOPBACK.test(url.hostname)
            ? await readIfThere(join(folder, 'first-api-key'))
            : undefined));
  if (apiKey === undefined)
    throw new CliError('usage', 'no API key: set --api-key-file, CURFEW_API_KEY or CURFEW_API_KEY_FILE');
  return { url: url.href.replace(/\/+$/, ''), apiKey };
}
