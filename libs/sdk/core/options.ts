import { randomUUID } from 'node:crypto';
import type { CurfewOptions } from './curfew.types.js';
import { CurfewSdkError } from './error.js';
import type { OpenRevocationSource, SourceOptions } from './revocation-source.js';
import { watchSource } from '../watch/watch-client.js';

export interface CheckedOptions extends SourceOptions {
  readonly service: string;
  readonly issuer: string;
  readonly audience: string;
  readonly tenant: string;
  readonly introspect: boolean;
  readonly open: OpenRevocationSource;
  readonly maxSessions: number;
  readonly maxRevocations: number;
  readonly onDiagnostic: CurfewOptions['onDiagnostic'];
}

/** Typed arrays and maps end near 2^24 entries. */
const MAX_ENTRIES = 16_000_000;

function wrong(option: keyof CurfewOptions, rule = 'is not valid'): never {
  throw new CurfewSdkError('ERR_CONFIG', 0, `Option \`${option}\` ${rule}`, { field: option });
}

function text(options: CurfewOptions, option: keyof CurfewOptions): string {
  const value: unknown = options[option];
  return typeof value === 'string' && value !== '' ? value : wrong(option);
}

function count(
  options: CurfewOptions,
  option: keyof CurfewOptions,
  [min, max]: readonly [number, number],
  otherwise: number,
): number {
  const value: unknown = options[option] ?? otherwise;
  const good = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  return good ? value : wrong(option, `must be an integer, ${min} to ${max}`);
}

function url(option: keyof CurfewOptions, value: unknown): string {
  const given = typeof value === 'string' ? value.trim() : '';
  return /^https?:\/\/[^@?#]+$/i.test(given) && URL.canParse(given) ? new URL(given).href : wrong(option);
}

/** @throws CurfewSdkError ERR_CONFIG: names the option, never its value. */
export function checkOptions(options: CurfewOptions): CheckedOptions {
  const { watch, onStale = 'introspect' } = options;
  const doors: readonly unknown[] = typeof watch === 'string' ? watch.split(',') : watch;
  if (!Array.isArray(doors) || doors.length === 0) wrong('watch');
  const { nodeId = randomUUID() } = options;
  if (!/^[\x21-\x7e]+$/.test(text(options, 'apiKey'))) wrong('apiKey');
  if (!/^[\x21-\x7e]{1,128}$/.test(nodeId)) wrong('nodeId');
  const open = (options.revocations ?? watchSource) as OpenRevocationSource;
  if (typeof open !== 'function') wrong('revocations');
  if (onStale !== 'introspect' && onStale !== 'reject') wrong('onStale');
  return {
    service: url('service', options.service),
    watch: doors.map((door) => url('watch', door)),
    apiKey: options.apiKey,
    issuer: text(options, 'issuer'),
    audience: text(options, 'audience'),
    tenant: text(options, 'tenant'),
    bound: count(options, 'stalenessBound', [250, 60_000], 2000),
    introspect: onStale === 'introspect',
    open,
    nodeId,
    maxSessions: count(options, 'maxSessions', [1, MAX_ENTRIES], 1_000_000),
    maxRevocations: count(options, 'maxRevocations', [1, MAX_ENTRIES], 1_000_000),
    onDiagnostic: options.onDiagnostic,
  };
}
