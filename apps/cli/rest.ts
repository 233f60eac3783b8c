import { CliError, NoAnswer, Refused } from './cli-error.js';
import type { Connection } from './connection.js';

const TIMEOUT_MS = 10_000;
/** The store may have done it and not said so. */
const UNAVAILABLE = 503;

/** Failures after which the service may have done what it was asked for. */
const MAYBE_DONE = new Set([
  'TimeoutError',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

export interface CallOptions {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

interface Problem {
  readonly title?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly field?: string;
  readonly errorId?: string;
}

/** A problem document in one line: the code first, since it is what one looks up. */
function describe(status: number, { code, title, detail, field, errorId }: Problem): string {
  const what = [code ?? `HTTP ${status}`, title].filter(Boolean).join(': ');
  const more = [field && `field ${field}`, detail, errorId && `error id ${errorId}`].filter(Boolean);
  return more.length > 0 ? `${what} (${more.join(', ')})` : what;
}

/** Calls the REST door. @throws CliError (NoAnswer, Refused) */
export async function callService(
  { url, apiKey }: Connection,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  { body, headers = {}, signal }: CallOptions = {},
): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      method,
      // A redirect would carry the key away.
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    text = await response.text();
  } catch (cause) {
    const reason = (cause as { cause?: { code?: string } }).cause?.code ?? (cause as Error).name;
    throw new NoAnswer(`the service at ${url} cannot be reached (${reason})`, MAYBE_DONE.has(reason));
  }
  let answer: unknown;
  try {
    answer = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new CliError('unreachable', `what answers at ${url} is not the service`);
  }
  if (!response.ok) throw new Refused(describe(response.status, answer ?? {}), response.status);
  return answer;
}

/**
 * Makes a call that may be repeated, and repeats it once when nobody knows whether the first was done.
 * @throws CliError
 */
export async function callUntilKnown(call: () => Promise<unknown>): Promise<unknown> {
  const unknown = (error: unknown): boolean =>
    (error instanceof NoAnswer && error.outcomeUnknown) ||
    (error instanceof Refused && error.status === UNAVAILABLE);
  try {
    return await call();
  } catch (error) {
    if (!unknown(error)) throw error;
  }
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof NoAnswer) && !unknown(error)) throw error;
    // The second attempt need not have reached the service: the first may have.
    throw new CliError('unreachable', `${(error as Error).message}; it is not known whether it was done`);
  }
}
