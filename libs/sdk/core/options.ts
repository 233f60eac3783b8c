import { randomUUID } from 'node:crypto';
import type { CurfewOptions } from './curfew.types.js';
import { CurfewSdkError } from './error.js';
import type { OpenRevocationSource, SourceOptions } from './revocation-source.js';
import { watchSource } from '../watch/watch-client.js';

export interface CheckedOptions extends SourceOptions, CurfewOptions {
  readonly watch: readonly string[];
  readonly nodeId: string;
  readonly introspect: boolean;
  readonly open: OpenRevocationSource;
  readonly maxSessions: number;
  readonly maxRevocations: number;
}

/** Typed arrays and maps end near 2^24 entries. */
const MAX_ENTRIES = 16_000_000;
/** Below, a renewal and its answer hardly fit into it. */
export const MIN_BOUND_MS = 250;

function wrong(option: string, rule = 'is not valid'): never {
  throw new CurfewSdkError('ERR_CONFIG', 0, `Option \`${option}\` ${rule}`, { field: option });
}

/** @throws CurfewSdkError ERR_CONFIG */
export function count<O extends object>(
  options: O,
  option: keyof O & string,
  [min, max]: readonly [number, number],
  otherwise: number,
): number {
  const value: unknown = options[option] ?? otherwise;
  const good = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  return good ? value : wrong(option, `must be an integer, ${min} to ${max}`);
}

function url(option: string, value: unknown): string {
  const given = String(value).trim();
  return /^https?:\/\/[^@?#]+$/i.test(given) && URL.canParse(given) ? new URL(given).href : wrong(option);
}

const TEXTS = ['apiKey', 'issuer', 'audience', 'tenant'] as const;

/** @throws CurfewSdkError ERR_CONFIG: names the option, never its value. */
export function checkOptions(options: CurfewOptions): CheckedOptions {
  const { watch, nodeId = randomUUID(), onStale = 'introspect' } = options;
  const revocations = (options.revocations ?? watchSource) as OpenRevocationSource;
  const doors: readonly unknown[] = typeof watch === 'string' ? watch.split(',') : watch;
  if (!Array.isArray(doors) || !doors.length) wrong('watch');
  for (const option of TEXTS) {
    const value: unknown = options[option];
    if (typeof value !== 'string' || !value) wrong(option);
  }
  if (!/^[\x21-\x7e]+$/.test(options.apiKey)) wrong('apiKey');
  if (!/^[\x21-\x7e]{1,128}$/.test(nodeId)) wrong('nodeId');
  if (typeof revocations !== 'function') wrong('revocations');
  if (onStale !== 'introspect' && onStale !== 'reject') wrong('onStale');
  return {
    ...options,
    service: url('service', options.service),
    watch: doors.map((door) => url('watch', door)),
    bound: count(options, 'stalenessBound', [MIN_BOUND_MS, 60_000], 2000),
    introspect: onStale === 'introspect',
    open: revocations,
    nodeId,
    maxSessions: count(options, 'maxSessions', [1, MAX_ENTRIES], 1_000_000),
    maxRevocations: count(options, 'maxRevocations', [1, MAX_ENTRIES], 1_000_000),
  };
}
