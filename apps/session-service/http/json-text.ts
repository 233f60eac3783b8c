import { isUtf8 } from 'node:buffer';
import { CurfewError } from '#contracts';

/** Deeper than any body of ours, and shallow enough for every recursive reader behind it. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const malformed = (detail: string, field?: string) =>
  new CurfewError('ERR_MALFORMED_BODY', field === undefined ? { detail } : { detail, field });

/** Index behind the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i + 1;
}

/**
 * Walks text that `JSON.parse` has accepted, for what it lets through: a key named twice in one object (the last would win,
 * so two readers could see two requests) and nesting without end.
 */
function refuseDuplicatesAndDepth(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      const end = endOfString(text, i);
      const keys = open.at(-1);
      if (keys && expectsKey) {
        const key = JSON.parse(text.slice(i, end)) as string;
        if (keys.has(key)) throw malformed('a key is named twice', key);
        keys.add(key);
        expectsKey = false;
      }
      i = end - 1;
    } else if (char === '{' || char === '[') {
      if (open.length === MAX_DEPTH) throw malformed(`more than ${MAX_DEPTH} levels of nesting`);
      open.push(char === '{' ? new Set() : undefined);
      expectsKey = char === '{';
    } else if (char === '}' || char === ']') {
      open.pop();
      expectsKey = false;
    } else if (char === ',') {
      expectsKey = open.at(-1) !== undefined;
    }
  }
}

/**
 * Parses JSON (RFC 8259) strictly: UTF-8, no key twice in an object, at most 32 levels.
 * `__proto__` stays an ordinary key.
 * @throws CurfewError ERR_MALFORMED_BODY, with `field` where a key is named twice. Never shows the text.
 */
export function parseJson(source: Buffer | string): unknown {
  if (typeof source !== 'string' && !isUtf8(source)) throw malformed('the body is not UTF-8');
  const text = source.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('the body is not JSON');
  }
  refuseDuplicatesAndDepth(text);
  return value;
}
