import { CurfewSdkError } from '../core/error.js';
import type { BrowserSettings, RequestFacts } from './facts.js';

/**
 * `tls`: prefixed, secure cookies. `loopback`: plain http on this machine and allowed by the switch, unprefixed names.
 * `plain`: http that nobody allowed: prefixed names are read, and no cookie is set.
 */
export type Transport = 'tls' | 'loopback' | 'plain';

/** Signs of a proxy: what comes through one is not from this machine, whatever the socket says. */
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

const isLoopbackAddress = (address: string | undefined): boolean =>
  address !== undefined && /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(address);

const isLoopbackHost = (host: string | undefined): boolean =>
  host !== undefined && /^(([a-z0-9-]+\.)*localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);

export function transportOf(settings: BrowserSettings, facts: RequestFacts): Transport {
  if (settings.trustProxyTls || facts.encrypted) return 'tls';
  const loopback =
    settings.insecureLoopback &&
    isLoopbackAddress(facts.remoteAddress) &&
    isLoopbackAddress(facts.localAddress) &&
    isLoopbackHost(facts.host) &&
    PROXY_HEADERS.every((name) => facts.header(name) === undefined);
  return loopback ? 'loopback' : 'plain';
}

/** The origin of the pages that this request's host serves. Secure cookies exist on https only, so that is what `plain` means too. */
export function ownOrigin(transport: Transport, host: string | undefined): string | undefined {
  const url = `${transport === 'loopback' ? 'http' : 'https'}://${host ?? ''}`;
  return host !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
}

/** @throws CurfewSdkError ERR_CONFIG where a browser would drop the cookies without a word. */
export function assertCookiesArrive(settings: BrowserSettings, facts: RequestFacts): void {
  if (transportOf(settings, facts) !== 'plain') return;
  const detail =
    'The request came over plain http, where browsers drop secure cookies. Serve https; behind a proxy that ends TLS, let the ' +
    'framework trust it (Express: "trust proxy") or set trustProxyTls; for development on this machine, set insecureLoopback';
  throw new CurfewSdkError('ERR_CONFIG', 0, 'The session cookies cannot be set', { detail });
}
