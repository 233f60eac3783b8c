import { isClean } from './text.js';

export const MAX_CLAIMS_BYTES = 2_048;
const MAX_CLAIMS_DEPTH = 8;

/** Names that mean something to JavaScript objects: some reader behind us would trip over them. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

function problemWith(value: unknown, depth: number): string | undefined {
  if (depth > MAX_CLAIMS_DEPTH) return `must not nest deeper than ${MAX_CLAIMS_DEPTH} levels`;
  if (typeof value === 'string')
    return isClean(value) ? undefined : 'must not hold control characters or broken Unicode';
  if (typeof value === 'number')
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
      ? undefined
      : 'must not hold a number that JSON readers round: write it as a string';
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (RESERVED.has(name)) return `must not use the name ${name}`;
    const problem = problemWith(name, depth) ?? problemWith(member, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

/** What is wrong with a value as custom claims; undefined: nothing. */
export function problemWithClaims(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a JSON object';
  const problem = problemWith(value, 0);
  if (problem) return problem;
  return Buffer.byteLength(JSON.stringify(value)) > MAX_CLAIMS_BYTES
    ? `must be at most ${MAX_CLAIMS_BYTES} bytes as JSON`
    : undefined;
}
