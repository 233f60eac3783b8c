import type { CookieChange } from './cookies.js';
import type { CurfewSdkError } from '../core/error.js';

/** An answer for a framework to send as it is. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly CookieChange[];
  readonly body?: string;
}

/** What the answers of cookie mode depend on. */
export const VARY =
  'Cookie, Authorization, Accept, Origin, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest' as const;

const NO_STORE = { 'Cache-Control': 'no-store' } as const;

export function redirectAnswer(
  status: 303 | 307,
  location: string,
  cookies: readonly CookieChange[] = [],
): Answer {
  return { status, headers: { ...NO_STORE, Location: location }, cookies };
}

export function jsonAnswer(status: number, body: unknown, cookies: readonly CookieChange[] = []): Answer {
  const headers = { ...NO_STORE, 'Content-Type': 'application/json; charset=utf-8' };
  return { status, headers, cookies, body: JSON.stringify(body) };
}

export const emptyAnswer = (cookies: readonly CookieChange[]): Answer => ({
  status: 204,
  headers: NO_STORE,
  cookies,
});

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function page(title: string, detail: string | undefined): string {
  const paragraph = detail === undefined ? '' : `<p>${escaped(detail)}</p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${paragraph}</html>`;
}

/** The one answer to an error: problem+json (RFC 9457) with the catalogue's `code`, or a small page for a navigation. */
export function errorAnswer(
  error: CurfewSdkError,
  navigation: boolean,
  cookies: readonly CookieChange[] = [],
): Answer {
  const status = error.status >= 400 && error.status <= 599 ? error.status : 500;
  const headers: Record<string, string> = { ...NO_STORE };
  if (error.retryAfter !== undefined)
    headers['Retry-After'] = String(Math.max(1, Math.ceil(error.retryAfter)));
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer error="invalid_token"';
  if (navigation) {
    headers['Content-Type'] = 'text/html; charset=utf-8';
    headers['Content-Security-Policy'] = "default-src 'none'; frame-ancestors 'none'";
    return { status, headers, cookies, body: page(error.message, error.detail) };
  }
  headers['Content-Type'] = 'application/problem+json; charset=utf-8';
  const { code, detail, field } = error;
  const problem = { type: 'about:blank', title: error.message, status, code, detail, field };
  return { status, headers, cookies, body: JSON.stringify(problem) };
}
