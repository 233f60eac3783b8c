import type { Request, Response } from 'express';
import { clearingCookies, cookieNames, type CookieChange } from '../browser-session/cookies.js';
import { ANONYMOUS, cameInHeader, credentialOf, type Credential } from '../browser-session/credential.js';
import type { BrowserSettings, RequestFacts } from '../browser-session/facts.js';
import {
  listOwn,
  login,
  logout,
  requiredSession,
  revokeOwn,
  type LoginInput,
  type LoginResult,
} from '../browser-session/own-session.js';
import type { Session } from '../core/curfew.types.js';
import { CurfewSdkError } from '../core/error.js';
import type { ListOptions, SessionPage } from '../http/sessions-client.types.js';
import { setCookies } from './send.js';

/** The device list of the user whose session the request has. Each call throws like `require()` without one. */
export interface OwnSessions {
  /** The user's sessions, newest first. Compare `sid` with `session.sid` to mark this device. Scope `sessions:read`. */
  list(options?: Omit<ListOptions, 'tenant'>): Promise<SessionPage>;
  /**
   * Ends one of them; the service checks the owner. Ending the own session clears its cookies. Scope `sessions:revoke`.
   * @throws CurfewSdkError ERR_NOT_FOUND if it is not the user's.
   */
  revoke(sid: string): Promise<void>;
}

/** `req.curfew`. */
export interface RequestCurfew {
  /**
   * The verified session; undefined if the request is anonymous or its token is refused.
   * @throws CurfewSdkError ERR_STALE (503) when it is read and this node cannot know whether the session lives.
   */
  readonly session: Session | undefined;
  /** @throws CurfewSdkError ERR_TOKEN_REFUSED (401) without a session, ERR_STALE (503) when the node cannot know. */
  require(): Session;
  /**
   * Signs a user in: always a new session with a new id, its tokens in cookies. A session that the request holds ends in the same
   * append. The request may not come from another site, and its answer may not have begun.
   * @throws CurfewSdkError ERR_CSRF (403), ERR_CONFIG where the browser would drop the cookies, and those of `sessions.create`.
   */
  login(input: LoginInput): Promise<LoginResult>;
  /**
   * Ends the request's session and clears its cookies. Without a session it only clears them: an expired access token does not
   * prove whose session it was. `POST <mount>/logout` sees the refresh token too and ends such a session as well.
   * @throws CurfewSdkError ERR_CSRF (403); a 503, and then the cookies stay.
   */
  logout(): Promise<void>;
  readonly sessions: OwnSessions;
}

/** What the adapter knows of a request. Guards find it here, whatever the property on the request is called. */
export interface RequestContext {
  readonly settings: BrowserSettings;
  readonly facts: RequestFacts;
  readonly response: Response;
  credential: Credential;
}

const contexts = new WeakMap<Request, RequestContext>();

export const contextOf = (request: Request): RequestContext | undefined => contexts.get(request);

class ContextCurfew implements RequestCurfew {
  readonly sessions: OwnSessions = {
    list: async (options = {}) => listOwn(this.context.settings, this.require(), options),
    revoke: async (sid) => this.revokeOwn(sid),
  };

  constructor(private readonly context: RequestContext) {}

  get session(): Session | undefined {
    this.answerVaries();
    const { credential } = this.context;
    if (credential.kind === 'unknown') throw credential.error;
    return credential.kind === 'session' ? credential.session : undefined;
  }

  require(): Session {
    this.answerVaries();
    return requiredSession(this.context.credential);
  }

  async login(input: LoginInput): Promise<LoginResult> {
    const { settings, facts, credential, response } = this.context;
    this.assertAnswerNotBegun();
    const { result, accessToken, cookies } = await login(settings, facts, credential, input);
    if (response.headersSent) {
      // Nobody will ever hold its tokens.
      await settings.node.sessions.revoke(result.sid, { reason: 'logout', initiator: 'policy' });
      this.assertAnswerNotBegun();
    }
    setCookies(response, cookies);
    this.context.credential = await credentialOf(settings.node, 'cookie', accessToken);
    return result;
  }

  async logout(): Promise<void> {
    const { settings, facts, credential } = this.context;
    this.assertAnswerNotBegun();
    this.forget(await logout(settings, facts, credential));
  }

  private async revokeOwn(sid: string): Promise<void> {
    const { settings, facts, credential } = this.context;
    const session = this.require();
    await revokeOwn(settings, session, sid);
    if (sid !== session.sid) return;
    const cookies = cameInHeader(credential)
      ? []
      : clearingCookies(cookieNames(settings, facts), settings.mount);
    this.forget(cookies);
  }

  private forget(cookies: readonly CookieChange[]): void {
    this.context.credential = ANONYMOUS;
    if (!this.context.response.headersSent) setCookies(this.context.response, cookies);
  }

  /** Said when the session is looked at, so that public answers stay cacheable. */
  private answerVaries(): void {
    if (!this.context.response.headersSent) this.context.response.vary('Cookie, Authorization');
  }

  private assertAnswerNotBegun(): void {
    if (!this.context.response.headersSent) return;
    const detail = 'The answer has begun: its cookies can no longer be set';
    throw new CurfewSdkError('ERR_INTERNAL', 500, 'Something went wrong inside', { detail });
  }
}

/**
 * Puts `curfew` on the request.
 * @throws CurfewSdkError ERR_NAME_TAKEN if the property is there already.
 */
export function attach(request: Request, property: string, context: RequestContext): void {
  if (property in request) {
    const detail = `req.${property} was set before curfew(). Set the option "property" to another name, and mount curfew() once`;
    throw new CurfewSdkError('ERR_NAME_TAKEN', 500, 'The request property is taken', {
      field: 'property',
      detail,
    });
  }
  contexts.set(request, context);
  // Not writable: a later middleware that wants the name fails as loudly.
  Object.defineProperty(request, property, { value: new ContextCurfew(context), enumerable: true });
}
