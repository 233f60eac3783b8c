/** What the browser holds to refresh: the token, the idempotency key stored with it, and the sid that the token names. */
export interface RefreshCookie {
  readonly token: string;
  readonly key: string;
  readonly sid: string;
}

const SID = /^[0-9a-f]{32}$/;
/** `cfr_` and base64url of version (1 byte), MAC key id (2), sid (16), generation (4), secret (32), MAC (32). */
const REFRESH_COOKIE = /^(cfr_([A-Za-z0-9_-]{116}))\.([A-Za-z0-9_-]{22,128})$/;
const TOKEN_VERSION = 1;

/** 128 random bits, base64url. */
export function newIdempotencyKey(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
}

/** The parts of a refresh cookie, or undefined if it is malformed. Whether it is authentic, only the service can tell. */
export function parseRefreshCookie(value: string): RefreshCookie | undefined {
  const [, token, body, key] = REFRESH_COOKIE.exec(value) ?? [];
  if (token === undefined || body === undefined || key === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  if (bytes[0] !== TOKEN_VERSION) return undefined;
  return { token, key, sid: bytes.subarray(3, 19).toString('hex') };
}

export interface UnverifiedClaims {
  readonly sid: string;
  readonly tenant: string | undefined;
}

/**
 * What an access token says, signature and expiry not looked at. Good for one purpose: to tell which refresh cookie belongs to a
 * `__Host-` cookie. Nothing may be ended or allowed on its word.
 */
export function unverifiedClaims(accessToken: string): UnverifiedClaims | undefined {
  const [, payload, signature, ...more] = accessToken.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as unknown;
    if (typeof claims !== 'object' || claims === null) return undefined;
    const { sid, tenant } = claims as { sid?: unknown; tenant?: unknown };
    if (typeof sid !== 'string' || !SID.test(sid)) return undefined;
    return { sid, tenant: typeof tenant === 'string' ? tenant : undefined };
  } catch {
    return undefined;
  }
}

/**
 * The refresh cookie that belongs to the access cookie: the one with its sid. A page of a sibling host can plant refresh cookies
 * beside ours, but not a `__Host-` cookie. Undefined if there is none, or two: then one of them is planted.
 */
export function chooseRefreshCookie(
  accessValues: readonly string[],
  refreshValues: readonly string[],
): RefreshCookie | undefined {
  const [access, ...others] = accessValues;
  if (access === undefined || others.length > 0) return undefined;
  const sid = unverifiedClaims(access)?.sid;
  const matching = refreshValues
    .map(parseRefreshCookie)
    .filter((cookie) => cookie !== undefined && cookie.sid === sid);
  return matching.length === 1 ? matching[0] : undefined;
}
