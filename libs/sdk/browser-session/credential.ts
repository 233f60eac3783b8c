import type { Session, VerifyOptions } from '../core/curfew.types.js';
import type { CurfewSdkError } from '../core/error.js';
import { cookieNames, cookieValues } from './cookies.js';
import type { BrowserSettings, RequestFacts, SessionNode } from './facts.js';
import { errorCode, isUnavailable } from './sdk-error.js';

/** Where the token came from. Only one that came in a header makes a request immune to CSRF. */
export type TokenSource = 'header' | 'cookie';

/** Who a request is from, as far as its token tells. */
export type Credential =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'session';
      readonly via: TokenSource;
      readonly session: Session;
      /** For a route that verifies it again, by a stricter bound. */
      readonly token: string;
    }
  /** There is a token, and it is not accepted: expired, revoked, not authentic. */
  | { readonly kind: 'refused'; readonly via: TokenSource }
  /** There is a token, and this node cannot know now whether it is good (503). */
  | { readonly kind: 'unknown'; readonly via: TokenSource; readonly error: CurfewSdkError };

export const ANONYMOUS: Credential = { kind: 'anonymous' };

/** The token of `Authorization: Bearer`; empty if there is none behind the scheme; undefined for other schemes. */
function bearerToken(header: string | undefined): string | undefined {
  const match = /^bearer(?: +(.*))?$/i.exec(header ?? '');
  return match === null ? undefined : (match[1] ?? '').trim();
}

/**
 * The token that decides: a Bearer header alone if there is one, whatever comes of it, otherwise the access cookie. There is no
 * falling back from a refused header to the cookie: the header says that no browser put this request together, and only then may
 * the CSRF check be left out.
 */
function presentedToken(settings: BrowserSettings, facts: RequestFacts): [TokenSource, string] | undefined {
  const bearer = bearerToken(facts.header('authorization'));
  if (bearer !== undefined) return ['header', bearer];
  const values = cookieValues(facts.header('cookie'), cookieNames(settings, facts).access);
  if (values.length === 0) return undefined;
  // A browser sends one __Host- cookie. With two, neither can be trusted to be the user's.
  return ['cookie', values.length === 1 ? (values[0] ?? '') : ''];
}

/**
 * What one token tells.
 * @throws whatever `verify` throws beyond ERR_TOKEN_REFUSED and 503s: a defect.
 */
export async function credentialOf(
  node: Pick<SessionNode, 'verify'>,
  via: TokenSource,
  token: string,
  options?: VerifyOptions,
): Promise<Credential> {
  if (token === '') return { kind: 'refused', via };
  try {
    return { kind: 'session', via, session: await node.verify(token, options), token };
  } catch (error) {
    if (errorCode(error) === 'ERR_TOKEN_REFUSED') return { kind: 'refused', via };
    if (isUnavailable(error)) return { kind: 'unknown', via, error };
    throw error;
  }
}

/** Verifies the request's token, if it has one. */
export async function authenticate(settings: BrowserSettings, facts: RequestFacts): Promise<Credential> {
  const presented = presentedToken(settings, facts);
  return presented === undefined ? ANONYMOUS : credentialOf(settings.node, ...presented);
}

/**
 * The same request's token by the stricter bound of a route. It is verified again, after `authenticate` did so by the node's own
 * bound: nobody knows the route at that time.
 * @throws as `credentialOf`
 */
export async function strictly(
  settings: BrowserSettings,
  credential: Credential,
  options: VerifyOptions,
): Promise<Credential> {
  if (credential.kind !== 'session') return credential;
  return credentialOf(settings.node, credential.via, credential.token, options);
}

/** Whether the request is immune to CSRF: a header that no page can set authenticated it. */
export const cameInHeader = (credential: Credential): boolean =>
  credential.kind === 'session' && credential.via === 'header';
