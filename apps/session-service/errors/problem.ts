import type { CurfewError } from '#contracts';

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes, since Fastify adds a charset to the type of text, and JSON types have none. */
  readonly body: Buffer;
}

/** An error as `application/problem+json` (RFC 9457). `code` and `field` are for programs, `title` and `detail` for people. */
export function toProblem(error: CurfewError, errorId?: string): Problem {
  const { code, entry, detail, field, retryAfter } = error;
  const status = entry.http;
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="curfew"';
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.ceil(retryAfter));
  const type = `urn:curfew:error:${code}`;
  const named = field === 'atLeast' ? 'Curfew-At-Least' : field;
  const document = { type, title: entry.title, status, code, detail, field: named, errorId };
  return { status, headers, body: Buffer.from(JSON.stringify(document)) };
}
