import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Tls } from '#watch-door';

/** What a relay is told at its start. */
export interface RelaySettings {
  /** gRPC doors of instances or of other relays, used in turn. */
  readonly upstream: readonly string[];
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly apiKey: string;
  /** The bound that the relay tells upstream, ms. An upstream that is silent for half of it is left for the next. */
  readonly bound: number;
  /** Names the process in receipts. */
  readonly nodeId: string;
  readonly tls?: Tls | undefined;
}

/** The command line or the environment is at fault. The message names the option, never its value. */
export class UsageError extends Error {}

type Variables = Readonly<Record<string, string | undefined>>;

const OPTIONS = {
  upstream: { type: 'string' },
  listen: { type: 'string', default: '127.0.0.1:7411' },
  'api-key-file': { type: 'string' },
  'staleness-bound': { type: 'string', default: '2000' },
  'node-id': { type: 'string' },
  'tls-cert-file': { type: 'string' },
  'tls-key-file': { type: 'string' },
  'tls-terminated': { type: 'boolean', default: false },
} as const;

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

function read(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new UsageError(`${option}: the file cannot be read`);
  }
}

function upstreamOf(text: string | undefined): string[] {
  const urls = (text ?? '').split(',').filter((url) => url !== '');
  if (urls.length === 0) throw new UsageError('--upstream: the gRPC door of the service is needed');
  for (const url of urls) {
    const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new UsageError('--upstream: URLs begin with https:// or http://');
    if (protocol === 'http:' && !isLoopback(hostname))
      throw new UsageError('--upstream: no API key goes to another machine over plain http; use https');
  }
  return urls;
}

function listenOf(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new UsageError('--listen: must be host:port');
  return { host: match[1] ?? match[2] ?? '', port };
}

function apiKeyOf(file: string | undefined, env: Variables): string {
  const named = file ?? env['CURFEW_API_KEY_FILE'];
  const key = named === undefined ? env['CURFEW_API_KEY'] : read('--api-key-file', named).toString();
  if (!/^[\x21-\x7e]+$/.test(key?.trim() ?? ''))
    throw new UsageError('no API key: set --api-key-file, CURFEW_API_KEY_FILE or CURFEW_API_KEY');
  return key!.trim();
}

/** @throws UsageError */
export function readSettings(args: readonly string[], env: Variables): RelaySettings {
  const values = parsed(args);
  const { host, port } = listenOf(values.listen);
  const bound = Number(values['staleness-bound']);
  if (!Number.isInteger(bound) || bound < 250 || bound > 60_000)
    throw new UsageError('--staleness-bound: must be 250 to 60000 ms');
  const nodeId = values['node-id'] ?? `relay-${randomUUID()}`;
  if (!/^[\x21-\x7e]{1,128}$/.test(nodeId)) throw new UsageError('--node-id: 1 to 128 visible characters');
  const { 'tls-cert-file': cert, 'tls-key-file': key } = values;
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--tls-cert-file and --tls-key-file: set both or neither');
  if (!isLoopback(host) && cert === undefined && !values['tls-terminated'])
    throw new UsageError(
      '--listen: an address other than loopback needs --tls-cert-file and --tls-key-file, or --tls-terminated when something in front ends TLS',
    );
  const tls =
    cert === undefined || key === undefined
      ? undefined
      : { cert: read('--tls-cert-file', cert), key: read('--tls-key-file', key) };
  return {
    upstream: upstreamOf(values.upstream),
    host,
    port,
    apiKey: apiKeyOf(values['api-key-file'], env),
    bound,
    nodeId,
    tls,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
