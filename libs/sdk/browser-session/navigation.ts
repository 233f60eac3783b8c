import type { RequestFacts } from './facts.js';

/** `document`: a page at the top. `frame`: one inside another page. `none`: an API call, a subresource. */
export type NavigationKind = 'document' | 'frame' | 'none';

const FRAMES = new Set(['iframe', 'frame']);

/**
 * Fetch Metadata decides; a browser without it navigates where it accepts HTML and no script says `X-Requested-With`. Only GET,
 * HEAD and POST can be navigations.
 */
export function navigationKind(facts: RequestFacts): NavigationKind {
  if (facts.method !== 'GET' && facts.method !== 'HEAD' && facts.method !== 'POST') return 'none';
  const mode = facts.header('sec-fetch-mode');
  if (mode === undefined) {
    const html = facts.header('accept')?.includes('text/html') === true;
    return html && facts.header('x-requested-with') === undefined ? 'document' : 'none';
  }
  const destination = facts.header('sec-fetch-dest');
  if (mode !== 'navigate' || destination === undefined) return 'none';
  return destination === 'document' ? 'document' : FRAMES.has(destination) ? 'frame' : 'none';
}

/** 303 turns a form into a GET; 307 repeats it with method and body. */
export const redirectStatus = (method: string): 303 | 307 => (method === 'POST' ? 307 : 303);

/**
 * Marks the URL to which a refresh returns, with the second in which it did. A page that is asked for with a fresh mark and still
 * finds no good access token must not redirect again. The mark is in the URL because a browser that keeps no cookies would drop one.
 */
const MARK = 'curfew-refreshed';
const MARK_IS_FRESH_MS = 60_000;

export function withMark(path: string, now: number): string {
  const [rest = '', ...fragment] = withoutMark(path).split('#');
  const hash = fragment.length === 0 ? '' : `#${fragment.join('#')}`;
  return `${rest}${rest.includes('?') ? '&' : '?'}${MARK}=${now.toString(36)}${hash}`;
}

/** The URL without the mark; every other byte of it stays as it was. */
export function withoutMark(url: string): string {
  const [rest = '', ...fragment] = url.split('#');
  const hash = fragment.length === 0 ? '' : `#${fragment.join('#')}`;
  const start = rest.indexOf('?');
  if (start < 0) return url;
  const kept = rest
    .slice(start + 1)
    .split('&')
    .filter((pair) => !new URLSearchParams(pair).has(MARK));
  return rest.slice(0, start) + (kept.length === 0 ? '' : `?${kept.join('&')}`) + hash;
}

export type Mark = 'absent' | 'old' | 'fresh';

/** @param now milliseconds since the epoch */
export function markOf(query: URLSearchParams, now: number): Mark {
  const text = query.get(MARK);
  if (text === null) return 'absent';
  const age = now - Number.parseInt(text, 36);
  return Math.abs(age) <= MARK_IS_FRESH_MS ? 'fresh' : 'old';
}
