import { CurfewSdkError } from '../core/error.js';
import { cookieNames, cookieValues } from './cookies.js';
import type { BrowserSettings, RequestFacts } from './facts.js';
import { ownOrigin, transportOf } from './transport.js';

/** What the browser says about where a request comes from. */
export interface RequestSource {
  /** `Sec-Fetch-Site` */
  readonly site: string | undefined;
  readonly origin: string | undefined;
  readonly referer: string | undefined;
  readonly ownOrigin: string | undefined;
  /** The request carries a cookie of ours. */
  readonly withCookies: boolean;
}

export type CsrfVerdict = { readonly allowed: true } | { readonly allowed: false; readonly detail: string };

const ALLOWED: CsrfVerdict = { allowed: true };

function refused(origin: string | undefined, site: string | undefined): CsrfVerdict {
  const from =
    origin === undefined ? 'an origin that the browser does not name' : `origin ${origin.slice(0, 200)}`;
  const how = site === undefined ? '' : ` (Sec-Fetch-Site: ${site.slice(0, 40)})`;
  return {
    allowed: false,
    detail: `The request comes from ${from}${how}. If that origin is yours, list it in the setting allowedOrigins`,
  };
}

const originOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;

/**
 * Whether a request that changes something may come from where it comes from. Fetch Metadata first: `same-origin` and `none`
 * pass, everything else only from an origin in `allowedOrigins`. Without it `Origin` decides, then `Referer`: this origin or a
 * listed one. Without all three a request passes only if it has no cookie of ours: every browser that has Lax cookies sends one of
 * them with what a page can make it send.
 */
export function csrfVerdict(source: RequestSource, allowedOrigins: ReadonlySet<string>): CsrfVerdict {
  const { site, origin } = source;
  if (site === 'same-origin' || site === 'none') return ALLOWED;
  if (origin !== undefined && allowedOrigins.has(origin)) return ALLOWED;
  if (site !== undefined) return refused(origin, site);
  const sender = origin ?? originOf(source.referer);
  if (sender === undefined) {
    return source.withCookies || source.referer !== undefined ? refused(undefined, undefined) : ALLOWED;
  }
  const known = sender !== 'null' && (sender === source.ownOrigin || allowedOrigins.has(sender));
  return known ? ALLOWED : refused(sender, undefined);
}

/** Whether a cookie of ours came with the request. */
export function hasOwnCookies(settings: BrowserSettings, facts: RequestFacts): boolean {
  const names = cookieNames(settings, facts);
  const header = facts.header('cookie');
  return cookieValues(header, names.access).length > 0 || cookieValues(header, names.refresh).length > 0;
}

/** @throws CurfewSdkError ERR_CSRF (403); `detail` names the origin and the setting. */
export function assertSameSite(settings: BrowserSettings, facts: RequestFacts): void {
  const verdict = csrfVerdict(
    {
      site: facts.header('sec-fetch-site'),
      origin: facts.header('origin'),
      referer: facts.header('referer'),
      ownOrigin: ownOrigin(transportOf(settings, facts), facts.host),
      withCookies: hasOwnCookies(settings, facts),
    },
    settings.allowedOrigins,
  );
  if (verdict.allowed) return;
  throw new CurfewSdkError('ERR_CSRF', 403, 'The request comes from another site', {
    detail: verdict.detail,
  });
}
