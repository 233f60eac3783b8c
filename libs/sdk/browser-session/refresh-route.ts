import { CurfewSdkError } from '../core/error.js';
import type { IssuedSession } from '../http/sessions-client.types.js';
import { errorAnswer, jsonAnswer, redirectAnswer, type Answer } from './answer.js';
import { clearingCookies, cookieNames, cookieValues, deliveryCookies } from './cookies.js';
import { assertSameSite } from './csrf.js';
import { deviceOf, queryOf, type BrowserSettings, type RequestFacts } from './facts.js';
import { navigationKind, redirectStatus, withMark } from './navigation.js';
import { chooseRefreshCookie, newIdempotencyKey, type RefreshCookie } from './refresh-cookie.js';
import { checkedReturnTo } from './return-to.js';
import { asSeenByUser, errorCode, tokenRefused } from './sdk-error.js';
import { assertCookiesArrive } from './transport.js';

/** Says that the request is the second half of a refresh whose first answer had no access token. */
const AGAIN = 'again';

/** Refusals that another attempt with the same cookies cannot change. */
const FINAL = new Set(['ERR_TOKEN_REFUSED', 'ERR_IDEMPOTENCY_KEY_REUSED']);

/** How the browser gets its answer: sent back to a page, or as JSON. */
interface Manner {
  readonly returnTo: string | undefined;
  readonly again: boolean;
}

function mannerOf(settings: BrowserSettings, facts: RequestFacts): Manner {
  const query = queryOf(facts);
  const values = query.getAll('return_to');
  const navigation = navigationKind(facts) !== 'none' && values.length > 0;
  return {
    returnTo: navigation ? checkedReturnTo(values.length === 1 ? values[0] : '/', settings.mount) : undefined,
    again: query.has(AGAIN),
  };
}

/**
 * Lets through what may refresh: a POST by the CSRF rules; a GET or HEAD only as a navigation with `return_to`, at the top from any
 * site (a link in a mail is one, and the redirect to this route keeps its `cross-site`), in a frame by the CSRF rules.
 */
function assertMayRefresh(settings: BrowserSettings, facts: RequestFacts): void {
  if (facts.method === 'POST') return assertSameSite(settings, facts);
  const kind = navigationKind(facts);
  if (kind === 'none') {
    const detail = `${facts.method} on this route is for navigations of a browser; an API call uses POST`;
    throw new CurfewSdkError('ERR_CSRF', 403, 'The request comes from another site', { detail });
  }
  if (!queryOf(facts).has('return_to')) {
    const detail = 'return_to is missing';
    throw new CurfewSdkError('ERR_VALIDATION', 400, 'The request is not valid', {
      field: 'return_to',
      detail,
    });
  }
  if (kind === 'frame') assertSameSite(settings, facts);
}

/** The refresh cookie that belongs to the request's access cookie. */
export function ownRefreshCookie(settings: BrowserSettings, facts: RequestFacts): RefreshCookie | undefined {
  const names = cookieNames(settings, facts);
  const header = facts.header('cookie');
  return chooseRefreshCookie(cookieValues(header, names.access), cookieValues(header, names.refresh));
}

function secondHalf(settings: BrowserSettings, { returnTo }: Manner): string {
  const query = new URLSearchParams(returnTo === undefined ? {} : { return_to: returnTo });
  query.set(AGAIN, '1');
  return `${settings.mount}/refresh?${query.toString()}`;
}

function delivered(
  settings: BrowserSettings,
  facts: RequestFacts,
  manner: Manner,
  issued: IssuedSession,
): Answer {
  const now = Date.now();
  const cookies = deliveryCookies(
    cookieNames(settings, facts),
    settings.mount,
    issued,
    newIdempotencyKey(),
    now,
  );
  if (issued.accessToken === undefined) {
    // The browser has to hold the successor and its key before it is used, so it comes again itself. Rotating twice within one
    // request would make a lost answer look like theft an hour later.
    if (!manner.again) {
      return redirectAnswer(facts.method === 'POST' ? 307 : 303, secondHalf(settings, manner), cookies);
    }
    const late = new CurfewSdkError('ERR_TOO_LATE', 503, 'The call took too long', { retryAfter: 1 });
    return errorAnswer(late, manner.returnTo !== undefined, cookies);
  }
  if (manner.returnTo !== undefined) {
    return redirectAnswer(redirectStatus(facts.method), withMark(manner.returnTo, now), cookies);
  }
  const { sid, accessExpiresAt, refreshExpiresAt } = issued;
  return jsonAnswer(200, { sid, accessExpiresAt, refreshExpiresAt }, cookies);
}

/** The page decides what a visitor without a session sees, so a navigation goes back to it; an API call gets the 401. */
function refused(settings: BrowserSettings, facts: RequestFacts, manner: Manner): Answer {
  const cookies = clearingCookies(cookieNames(settings, facts), settings.mount);
  if (manner.returnTo === undefined) return errorAnswer(tokenRefused(), false, cookies);
  return redirectAnswer(redirectStatus(facts.method), withMark(manner.returnTo, Date.now()), cookies);
}

/**
 * `GET|HEAD|POST <mount>/refresh`: one rotation with the key that is stored beside the token. Refused (401): both cookies are
 * cleared. Not available (503): they stay, so that the same token and key can be presented again. API calls get
 * `{ sid, accessExpiresAt, refreshExpiresAt }`; tokens go back in cookies only.
 * @throws CurfewSdkError
 */
export async function refreshRoute(settings: BrowserSettings, facts: RequestFacts): Promise<Answer> {
  assertMayRefresh(settings, facts);
  assertCookiesArrive(settings, facts);
  const manner = mannerOf(settings, facts);
  const cookie = ownRefreshCookie(settings, facts);
  if (cookie === undefined) return refused(settings, facts, manner);
  try {
    const options = { idempotencyKey: cookie.key, device: deviceOf(facts) };
    const issued = await settings.node.sessions.refresh(cookie.token, options);
    return delivered(settings, facts, manner, issued);
  } catch (error) {
    if (FINAL.has(errorCode(error) ?? '')) return refused(settings, facts, manner);
    throw asSeenByUser(error);
  }
}
