import { emptyAnswer, redirectAnswer, type Answer } from './answer.js';
import { authenticate } from './credential.js';
import { pathOf, queryOf, type BrowserSettings, type RequestFacts } from './facts.js';
import { navigationKind } from './navigation.js';
import { logout } from './own-session.js';
import { refreshRoute } from './refresh-route.js';
import { checkedReturnTo } from './return-to.js';

async function logoutRoute(settings: BrowserSettings, facts: RequestFacts): Promise<Answer> {
  const cookies = await logout(settings, facts, await authenticate(settings, facts));
  if (navigationKind(facts) === 'none') return emptyAnswer(cookies);
  const values = queryOf(facts).getAll('return_to');
  return redirectAnswer(303, checkedReturnTo(values.length === 1 ? values[0] : '/', settings.mount), cookies);
}

/**
 * The adapter's own routes: `GET|HEAD|POST <mount>/refresh` and `POST <mount>/logout`. Undefined if the request is for none of them.
 * @throws CurfewSdkError, to be answered with `errorAnswer`
 */
export function routeOf(settings: BrowserSettings, facts: RequestFacts): (() => Promise<Answer>) | undefined {
  const path = pathOf(facts);
  if (!path.startsWith(settings.mount)) return undefined;
  const { method } = facts;
  if (path === `${settings.mount}/refresh` && ['GET', 'HEAD', 'POST'].includes(method)) {
    return () => refreshRoute(settings, facts);
  }
  if (path === `${settings.mount}/logout` && method === 'POST') return () => logoutRoute(settings, facts);
  return undefined;
}
