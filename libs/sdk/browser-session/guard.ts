import { CurfewSdkError } from '../core/error.js';
import { errorAnswer, redirectAnswer, type Answer } from './answer.js';
import { cookieNames, cookieValues } from './cookies.js';
import type { Credential } from './credential.js';
import { queryOf, type BrowserSettings, type RequestFacts } from './facts.js';
import { markOf, navigationKind, redirectStatus, withoutMark } from './navigation.js';
import { unverifiedClaims } from './refresh-cookie.js';
import { checkedReturnTo } from './return-to.js';
import { tokenRefused } from './sdk-error.js';

/** What a guarded route does with a request: let it in, under a URL without the adapter's mark, or answer. */
export type GuardVerdict =
  { readonly pass: true; readonly url?: string } | { readonly pass: false; readonly answer: Answer };

const answered = (answer: Answer): GuardVerdict => ({ pass: false, answer });

/** Whether the request's one access cookie names a session, so that a refresh has something to match. */
function mayBeRefreshed(settings: BrowserSettings, facts: RequestFacts, credential: Credential): boolean {
  if (credential.kind !== 'refused' || credential.via !== 'cookie') return false;
  const [token = '', ...others] = cookieValues(facts.header('cookie'), cookieNames(settings, facts).access);
  return others.length === 0 && unverifiedClaims(token) !== undefined;
}

function navigationLoop(): CurfewSdkError {
  const detail =
    'The page was just refreshed, and still has no good access token. The browser did not keep the new cookie, or this ' +
    'application does not accept what the session service issues (issuer, audience, tenant, clock)';
  return new CurfewSdkError('ERR_NAVIGATION_LOOP', 500, 'A navigation was redirected twice', { detail });
}

/**
 * The way of a request to a route that wants to know who it is from. The access cookie lives as long as the refresh token, so one
 * that is there and not accepted means: refresh first. Rendering never rotates; only the refresh route does.
 * @param sessionRequired false lets anonymous requests in.
 * @param now milliseconds since the epoch
 */
export function guardVerdict(
  settings: BrowserSettings,
  facts: RequestFacts,
  credential: Credential,
  sessionRequired: boolean,
  now: number,
): GuardVerdict {
  const navigation = navigationKind(facts) !== 'none';
  const mark = navigation ? markOf(queryOf(facts), now) : 'absent';
  const clean = withoutMark(facts.url);
  if (credential.kind === 'unknown' && sessionRequired)
    return answered(errorAnswer(credential.error, navigation));
  if (navigation && mayBeRefreshed(settings, facts, credential)) {
    if (mark === 'fresh') return answered(errorAnswer(navigationLoop(), true));
    const query = new URLSearchParams({ return_to: checkedReturnTo(clean, settings.mount) });
    const location = `${settings.mount}/refresh?${query.toString()}`;
    return answered(redirectAnswer(redirectStatus(facts.method), location));
  }
  const allowedIn = credential.kind === 'session' || !sessionRequired;
  if (allowedIn && mark === 'absent') return { pass: true };
  // The address bar gets the URL that the user asked for; a form cannot be sent a third time, so only the handler sees it.
  if (allowedIn) {
    if (facts.method === 'POST') return { pass: true, url: clean };
    return answered(redirectAnswer(303, checkedReturnTo(clean, settings.mount)));
  }
  if (navigation && settings.loginPage !== undefined) {
    const query = new URLSearchParams({ return_to: checkedReturnTo(clean, settings.mount) });
    const separator = settings.loginPage.includes('?') ? '&' : '?';
    return answered(redirectAnswer(303, `${settings.loginPage}${separator}${query.toString()}`));
  }
  return answered(errorAnswer(tokenRefused(), navigation));
}
