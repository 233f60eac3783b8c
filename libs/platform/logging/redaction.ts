const REDACTED = '[redacted]';

/** By the end of the name, without case and punctuation: `refreshToken`, `set-cookie`, `x-api-key`. */
const SECRET_NAME = /(authorization|cookie|cookies|token|secret|password|apikey|masterkey|idempotencykey)$/;

/**
 * What is secret wherever it stands: refresh tokens and API keys, JWTs, the password of a URL. Without word boundaries: in
 * JSON the letter of an escape (`\n`) stands before a token that begins a line.
 */
const SECRET_TEXT =
  /cf[rk]_[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?|(?<=:\/\/[^\s:/@"]*:)[^\s@"]+(?=@)/g;

const MAX_DEPTH = 6;

export const redactText = (text: string): string => text.replace(SECRET_TEXT, REDACTED);

/** A copy without the values of fields that are secret by their name, at any depth. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      SECRET_NAME.test(name.toLowerCase().replace(/[^a-z]/g, '')) ? REDACTED : redactFields(field, depth + 1),
    ]),
  );
}

/** Of a database's error only this: its `detail` and `where` hold the values of rows. */
function describeError(error: Error & { code?: unknown }, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    ...(error.code === undefined ? {} : { code: error.code }),
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined || depth >= MAX_DEPTH
      ? {}
      : { cause: redactFields(error.cause, depth + 1) }),
  };
}
