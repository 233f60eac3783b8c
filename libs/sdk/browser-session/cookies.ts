import type { IssuedSession } from '../http/sessions-client.types.js';
import type { BrowserSettings, RequestFacts } from './facts.js';
import { transportOf } from './transport.js';

export interface CookieNames {
  readonly access: string;
  readonly refresh: string;
  readonly secure: boolean;
}

/** A `Set-Cookie` header; an earlier one of the same name in the same answer gives way to it. */
export interface CookieChange {
  readonly name: string;
  readonly header: string;
}

const SECURE: CookieNames = { access: '__Host-curfew', refresh: '__Secure-curfew-refresh', secure: true };
const LOOPBACK: CookieNames = {
  access: 'curfew-loopback',
  refresh: 'curfew-loopback-refresh',
  secure: false,
};
/** Browsers keep no cookie for longer (RFC 6265bis). */
const MAX_AGE_CAP = 400 * 24 * 3600;
/** Name and value; browsers drop a larger cookie without a word. */
const MAX_COOKIE_BYTES = 4096;

/** The names in force for a request. Only the explicit switch, on loopback, ever reads the unprefixed ones. */
export function cookieNames(settings: BrowserSettings, facts: RequestFacts): CookieNames {
  return settings.insecureLoopback && transportOf(settings, facts) === 'loopback' ? LOOPBACK : SECURE;
}

/**
 * All distinct values of one cookie, in order. Names are compared exactly. Nothing is unquoted or decoded: a value with any
 * other character than a token's is none of ours.
 */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  if (header === undefined || !header.includes(name)) return [];
  const values = new Set<string>();
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    if (/^[A-Za-z0-9._-]+$/.test(value)) values.add(value);
  }
  return [...values];
}

interface CookieAttributes {
  readonly path: string;
  readonly secure: boolean;
  /** Seconds; 0 deletes. */
  readonly maxAge: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

function cookie(name: string, value: string, { path, secure, maxAge, now }: CookieAttributes): CookieChange {
  if (name.length + value.length > MAX_COOKIE_BYTES || !/^[A-Za-z0-9._-]*$/.test(value)) {
    throw new RangeError(`The value of ${name} does not fit into a cookie`);
  }
  const expires = new Date(maxAge === 0 ? 0 : now + maxAge * 1000).toUTCString();
  const header =
    `${name}=${value}; Path=${path}; Max-Age=${maxAge}; Expires=${expires}; HttpOnly; SameSite=Lax` +
    (secure ? '; Secure' : '');
  return { name, header };
}

/**
 * The cookies that deliver an answer of the service; both live as long as the refresh token. Without an access token, the access
 * cookie stays as it is: its sid is needed for the refresh that follows.
 * @param key a fresh idempotency key: it is in the browser before a refresh can use it.
 */
export function deliveryCookies(
  names: CookieNames,
  mount: string,
  issued: IssuedSession,
  key: string,
  now: number,
): readonly CookieChange[] {
  const left = issued.refreshExpiresAt - Math.floor(now / 1000);
  const lifetime = { secure: names.secure, maxAge: Math.min(Math.max(left, 1), MAX_AGE_CAP), now };
  const refresh = cookie(names.refresh, `${issued.refreshToken}.${key}`, { path: mount, ...lifetime });
  if (issued.accessToken === undefined) return [refresh];
  return [cookie(names.access, issued.accessToken, { path: '/', ...lifetime }), refresh];
}

/** The cookies that delete both. */
export function clearingCookies(names: CookieNames, mount: string): readonly CookieChange[] {
  const past = { secure: names.secure, maxAge: 0, now: 0 };
  return [
    cookie(names.access, '', { path: '/', ...past }),
    cookie(names.refresh, '', { path: mount, ...past }),
  ];
}
