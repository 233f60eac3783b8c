import { CurfewSdkError } from '../core/error.js';
import type {
  NewSession,
  IssuedSession,
  ListOptions,
  SessionPage,
  TenantOption,
} from '../http/sessions-client.types.js';
import { clearingCookies, cookieNames, deliveryCookies, type CookieChange } from './cookies.js';
import type { Session } from '../core/curfew.types.js';
import { cameInHeader, type Credential } from './credential.js';
import { assertSameSite } from './csrf.js';
import { deviceOf, type BrowserSettings, type RequestFacts } from './facts.js';
import { newIdempotencyKey, unverifiedClaims } from './refresh-cookie.js';
import { ownRefreshCookie } from './refresh-route.js';
import { asSeenByUser, errorCode, tokenRefused } from './sdk-error.js';
import { assertCookiesArrive } from './transport.js';

/** Who signs in. `replaces` and the idempotency key are the adapter's; `device` is read from the request unless given. */
export type LoginInput = Omit<NewSession, 'replaces'>;

/** The new session. Its tokens are in the cookies, and nowhere else. Times are seconds since the epoch. */
export interface LoginResult {
  readonly sid: string;
  readonly accessExpiresAt: number;
  readonly refreshExpiresAt: number;
}

interface OwnSession extends TenantOption {
  readonly sid: string;
}

/** Awaits a service call; its errors as the user may see them. */
async function served<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw asSeenByUser(error);
  }
}

/**
 * The session that this request *proves* to hold: by a token that is verified, or by its refresh cookie (seen under the mount only),
 * which is presented. A sid that was only read from a cookie proves nothing: sids are public, and whoever could name one here could
 * end it (G4).
 */
async function provenSession(
  settings: BrowserSettings,
  facts: RequestFacts,
  credential: Credential,
): Promise<OwnSession | undefined> {
  if (credential.kind === 'session') {
    const { sid, tenant } = credential.session;
    return { sid, tenant };
  }
  const mayHoldCookies = credential.kind === 'anonymous' || credential.via === 'cookie';
  const cookie = mayHoldCookies ? ownRefreshCookie(settings, facts) : undefined;
  if (cookie === undefined) {
    if (credential.kind === 'unknown') throw credential.error;
    return undefined;
  }
  try {
    const options = { idempotencyKey: cookie.key, device: deviceOf(facts) };
    const { sid, accessToken = '' } = await settings.node.sessions.refresh(cookie.token, options);
    const tenant = unverifiedClaims(accessToken)?.tenant;
    return tenant === undefined ? { sid } : { sid, tenant };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ERR_TOKEN_REFUSED' || code === 'ERR_IDEMPOTENCY_KEY_REUSED') return undefined;
    throw asSeenByUser(error);
  }
}

const requireSameSite = (settings: BrowserSettings, facts: RequestFacts, credential: Credential): void => {
  if (!cameInHeader(credential)) assertSameSite(settings, facts);
};

async function end(settings: BrowserSettings, { sid, ...tenant }: OwnSession): Promise<void> {
  const call = settings.node.sessions.revoke(sid, { reason: 'logout', initiator: 'user', ...tenant });
  await served(call).catch((error: unknown) => {
    if (errorCode(error) !== 'ERR_NOT_FOUND') throw error;
  });
}

export interface LoggedIn {
  readonly result: LoginResult;
  readonly accessToken: string;
  readonly cookies: readonly CookieChange[];
}

/** An answer that took too long holds no access token. Nothing has been delivered yet, so it is refreshed here. */
async function withAccessToken(
  settings: BrowserSettings,
  issued: IssuedSession,
): Promise<IssuedSession & { readonly accessToken: string }> {
  const { accessToken } = issued;
  if (accessToken !== undefined) return { ...issued, accessToken };
  const idempotencyKey = newIdempotencyKey();
  const again = await settings.node.sessions.refresh(issued.refreshToken, { idempotencyKey });
  if (again.accessToken !== undefined) return { ...again, accessToken: again.accessToken };
  throw new CurfewSdkError('ERR_TOO_LATE', 503, 'The call took too long', { retryAfter: 1 });
}

/**
 * Starts a session, always a new one; the session that the request proved to hold ends in the same append.
 * @throws CurfewSdkError ERR_CSRF, ERR_CONFIG (the cookies would not arrive), and those of `sessions.create`.
 */
export async function login(
  settings: BrowserSettings,
  facts: RequestFacts,
  credential: Credential,
  input: LoginInput,
): Promise<LoggedIn> {
  requireSameSite(settings, facts, credential);
  assertCookiesArrive(settings, facts);
  const old = await provenSession(settings, facts, credential);
  const inOneAppend = old !== undefined && sameTenant(old, input);
  if (old !== undefined && !inOneAppend) await end(settings, old);
  const replaces = inOneAppend ? { replaces: old.sid } : {};
  const idempotencyKey = newIdempotencyKey();
  const call = settings.node.sessions.create(
    { device: deviceOf(facts), ...input, ...replaces },
    { idempotencyKey },
  );
  const issued = await served(call.then((first) => withAccessToken(settings, first)));
  const names = cookieNames(settings, facts);
  const now = Date.now();
  const accessExpiresAt = issued.accessExpiresAt ?? Math.floor(now / 1000);
  return {
    result: { sid: issued.sid, accessExpiresAt, refreshExpiresAt: issued.refreshExpiresAt },
    accessToken: issued.accessToken,
    cookies: deliveryCookies(names, settings.mount, issued, newIdempotencyKey(), now),
  };
}

/** One append can end a session of its own tenant only. */
const sameTenant = (old: OwnSession, input: LoginInput): boolean =>
  input.tenant === undefined || old.tenant === undefined || input.tenant === old.tenant;

/**
 * Ends the session that the request proves to hold and returns the cookies that clear both (none if its token came in a header).
 * @throws CurfewSdkError ERR_CSRF; 503s, and then the cookies stay: the session may still live, so the user can try again.
 */
export async function logout(
  settings: BrowserSettings,
  facts: RequestFacts,
  credential: Credential,
): Promise<readonly CookieChange[]> {
  requireSameSite(settings, facts, credential);
  const own = await provenSession(settings, facts, credential);
  if (own !== undefined) await end(settings, own);
  if (cameInHeader(credential)) return [];
  return clearingCookies(cookieNames(settings, facts), settings.mount);
}

/** The session, or why there is none: ERR_TOKEN_REFUSED (401), or ERR_STALE (503) where the node cannot know. */
export function requiredSession(credential: Credential): Session {
  if (credential.kind === 'session') return credential.session;
  throw credential.kind === 'unknown' ? credential.error : tokenRefused();
}

/** The devices of the session's user, newest first. */
export function listOwn(
  settings: BrowserSettings,
  { sub, tenant }: Session,
  options: Omit<ListOptions, 'tenant'>,
): Promise<SessionPage> {
  return served(settings.node.sessions.listByUser(sub, { ...options, tenant }));
}

/** Ends one of the user's sessions. The service checks the owner: another user's sid is ERR_NOT_FOUND. */
export async function revokeOwn(
  settings: BrowserSettings,
  { sub, tenant }: Session,
  sid: string,
): Promise<void> {
  await served(settings.node.sessions.revokeOfUser(sub, sid, { reason: 'user', initiator: 'user', tenant }));
}
