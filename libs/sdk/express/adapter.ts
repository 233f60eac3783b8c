import type { IncomingMessage } from 'node:http';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { errorAnswer } from '../browser-session/answer.js';
import { ANONYMOUS, authenticate, cameInHeader, strictly } from '../browser-session/credential.js';
import { assertSameSite, hasOwnCookies } from '../browser-session/csrf.js';
import {
  isUnsafe,
  type BrowserSettings,
  type RequestFacts,
  type SessionNode,
} from '../browser-session/facts.js';
import { guardVerdict } from '../browser-session/guard.js';
import { navigationKind } from '../browser-session/navigation.js';
import { requiredSession } from '../browser-session/own-session.js';
import { routeOf } from '../browser-session/routes.js';
import { isSdkError } from '../browser-session/sdk-error.js';
import { checkedSettings, type BrowserOptions } from '../browser-session/settings.js';
import { createCurfew, type Curfew, type CurfewOptions, type Session, type VerifyOptions } from '../index.js';
import { factsOfRequest, factsOfUpgrade } from './express-facts.js';
import { attach, contextOf, type RequestContext } from './request-curfew.js';
import { send } from './send.js';

/** Settings of the Express adapter. */
export interface ExpressOptions extends BrowserOptions {
  /** Name of the property on the request. `curfew` if absent; with another one, augment `Express.Request` yourself. */
  readonly property?: string;
}

/** What `curfew()` returns: a middleware, and what cannot go through one. */
export interface CurfewMiddleware<N extends SessionNode> extends RequestHandler {
  /** The node: `ready()`, `verify()`, `sessions` and, at the end, `close()`. */
  readonly node: N;
  /**
   * For `server.on('upgrade')`: the session of a WebSocket handshake. With a cookie, the handshake has to come from this origin or one
   * of `allowedOrigins`: browsers open WebSockets across sites, with cookies, without asking.
   * @throws CurfewSdkError ERR_TOKEN_REFUSED (401), ERR_CSRF (403), ERR_STALE (503). Answer with its `status` and destroy the socket.
   */
  authenticateUpgrade(request: IncomingMessage): Promise<Session>;
}

/** Answers Curfew's errors; others go on to Express. */
function answerError(error: unknown, facts: RequestFacts, response: Response, next: NextFunction): void {
  if (!isSdkError(error) || response.headersSent) return next(error);
  send(response, errorAnswer(error, navigationKind(facts) !== 'none'));
}

async function authenticateUpgrade(settings: BrowserSettings, request: IncomingMessage): Promise<Session> {
  const facts = factsOfUpgrade(request);
  const credential = await authenticate(settings, facts);
  if (!cameInHeader(credential)) assertSameSite(settings, facts);
  return requiredSession(credential);
}

/** Serves the adapter's own routes, verifies the token, keeps other sites out. False if the request is answered. */
async function admit(context: RequestContext): Promise<boolean> {
  const { settings, facts, response } = context;
  const route = routeOf(settings, facts);
  if (route !== undefined) {
    send(response, await route());
    return false;
  }
  context.credential = await authenticate(settings, facts);
  const byCookie = !cameInHeader(context.credential) && hasOwnCookies(settings, facts);
  if (byCookie && isUnsafe(facts.method)) assertSameSite(settings, facts);
  return true;
}

function middleware(settings: BrowserSettings, property: string): RequestHandler {
  return async (request, response, next) => {
    const facts = factsOfRequest(request);
    const context: RequestContext = { settings, facts, response, credential: ANONYMOUS };
    attach(request, property, context);
    try {
      if (!(await admit(context))) return;
    } catch (error) {
      return answerError(error, facts, response, next);
    }
    next();
  };
}

const isMadeOfNode = (
  options: CurfewOptions | { readonly node: SessionNode },
): options is { readonly node: SessionNode } => 'node' in options;

/**
 * The adapter for Express 5: `app.use(curfew(options))`, before the routes and before body parsers. Sets `req.curfew`; refuses unsafe
 * requests of other sites that come with the session cookie (403); serves `<mount>/refresh` and `<mount>/logout`. A route that needs
 * a session has `requireSession()` in front.
 *
 * A request with `Authorization: Bearer` is decided by that token alone, its cookies are not looked at; if it is refused the
 * request is anonymous. Tokens that came in a cookie go back only in a cookie.
 * @param options those of a node, which is made here, or `{ node }`; and the adapter's own.
 * @throws CurfewSdkError ERR_CONFIG, with the setting in `field`
 */
export function curfew(options: CurfewOptions & ExpressOptions): CurfewMiddleware<Curfew>;
export function curfew<N extends SessionNode>(
  options: { readonly node: N } & ExpressOptions,
): CurfewMiddleware<N>;
export function curfew(
  options: (CurfewOptions | { readonly node: SessionNode }) & ExpressOptions,
): CurfewMiddleware<SessionNode> {
  const { property = 'curfew' } = options;
  const checked = checkedSettings(options);
  const node = isMadeOfNode(options) ? options.node : createCurfew(options);
  const settings = { ...checked, node };
  return Object.assign(middleware(settings, property), {
    node,
    authenticateUpgrade: (request: IncomingMessage) => authenticateUpgrade(settings, request),
  });
}

/** Which requests a guard stops. */
function guard(sessionRequired: boolean, within?: VerifyOptions): RequestHandler {
  const decide = (request: Request, context: RequestContext, next: NextFunction): void => {
    const { settings, facts, credential, response } = context;
    const verdict = guardVerdict(settings, facts, credential, sessionRequired, Date.now());
    if (!verdict.pass) return send(response, verdict.answer);
    if (verdict.url !== undefined) request.url = verdict.url;
    next();
  };
  return (request, _response, next) => {
    const context = contextOf(request);
    if (context === undefined) throw new TypeError('app.use(curfew(...)) has to come before this guard');
    if (within === undefined) return decide(request, context, next);
    return strictly(context.settings, context.credential, within).then((credential) => {
      context.credential = credential;
      decide(request, context, next);
    });
  };
}

/**
 * Lets only requests with a session through. API calls without one get 401 problem+json. A navigation whose access token is no
 * longer accepted goes to the refresh route and comes back (303; a form 307, so that method and body survive); one without cookies
 * goes to `loginPage`. 503 with `Retry-After` when the node cannot know.
 * @param options.maxStaleness for routes where a revocation has to count sooner than elsewhere: the token is verified once more, as
 * by `verify(token, { maxStaleness })`. Of several guards in a row the last one counts for the handler, and each has to let the request in.
 * @throws CurfewSdkError ERR_CONFIG (at the first request) for a bound that is none, or above the node's.
 */
export const requireSession = (options: VerifyOptions = {}): RequestHandler =>
  guard(true, options.maxStaleness === undefined ? undefined : options);

/** Lets everyone through, navigations with an expired access token by way of the refresh route: for public pages that greet a user. */
export const renewSession = (): RequestHandler => guard(false);

/**
 * Answers the errors that `req.curfew` throws in handlers, as problem+json or a small page; others go on. Mount it after the routes:
 * `app.use(curfewErrors())`.
 */
export function curfewErrors(): ErrorRequestHandler {
  return (error: unknown, request, response, next) =>
    answerError(error, factsOfRequest(request), response, next);
}
