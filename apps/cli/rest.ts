import { CliError } from './cli-error.js';
import type { Connection } from './connection.js';

const TIMEOUT_MS = 10_000;

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

/** Calls the REST door. @throws CliError */
export async function callService(
  { url, apiKey }: Connection,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + path, {
      method,
      // A redirect would carry the key away.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    text = await response.text();
  } catch (cause) {
    const reason = (cause as { cause?: { code?: string } }).cause?.code ?? (cause as Error).name;
    throw new CliError('unreachable', `the service at ${url} cannot be reached (${reason})`);
  }
  let answer: unknown;
  try {
    answer = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new CliError('unreachable', `what answers at ${url} is not the service`);
  }
  if (!response.ok) throw new CliError('refused', describe(response.status, answer ?? {}));
  return answer;
}
