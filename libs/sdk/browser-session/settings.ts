import { CurfewSdkError } from '../core/error.js';
import type { BrowserSettings } from './facts.js';

/** Settings of cookie mode, the same for every framework. */
export interface BrowserOptions {
  /**
   * Path of the adapter's routes as the browser sees it, and `Path` of the refresh cookie. `/session` if absent. A later change
   * signs browsers out at their next refresh.
   */
  readonly mount?: string;
  /** Other origins whose pages may send unsafe requests with this application's cookies, `https://shop.example`. None if absent. */
  readonly allowedOrigins?: readonly string[];
  /**
   * For development: over plain http, between a browser and a server on the same machine, use cookies without `Secure` and without
   * name prefixes. Those names are read nowhere else. Refused with `NODE_ENV=production`. False if absent.
   */
  readonly insecureLoopback?: boolean;
  /**
   * Something in front of this process ends TLS and this process gets plain http without a trusted `X-Forwarded-Proto`. Where the
   * framework's own proxy setting is on, it is not needed. False if absent.
   */
  readonly trustProxyTls?: boolean;
  /** Where a navigation without a session is sent, with `return_to`. A small 401 page if absent. */
  readonly loginPage?: string;
}

const configError = (field: string, detail: string): CurfewSdkError =>
  new CurfewSdkError('ERR_CONFIG', 0, `${field}: ${detail}`, { field, detail });

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && text !== 'null';
}

/**
 * Checks the settings once, at start.
 * @throws CurfewSdkError ERR_CONFIG with the setting in `field`.
 */
export function checkedSettings(options: BrowserOptions): Omit<BrowserSettings, 'node'> {
  const {
    mount = '/session',
    allowedOrigins = [],
    insecureLoopback = false,
    trustProxyTls = false,
  } = options;
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(mount) || /\/\.{1,2}(\/|$)/.test(mount)) {
    throw configError('mount', 'has to be a plain path such as /session');
  }
  const bad = allowedOrigins.find((origin) => !isOrigin(origin));
  if (bad !== undefined) {
    throw configError('allowedOrigins', 'each has to be an exact origin such as https://shop.example');
  }
  if (insecureLoopback && process.env['NODE_ENV'] === 'production') {
    throw configError('insecureLoopback', 'is for development, and NODE_ENV is production');
  }
  if (insecureLoopback && trustProxyTls) {
    throw configError('insecureLoopback', 'and trustProxyTls exclude each other');
  }
  const { loginPage } = options;
  if (loginPage !== undefined && !/^\/(?![/\\])[^\s\\]*$/.test(loginPage)) {
    throw configError('loginPage', 'has to be a path on this origin such as /login');
  }
  return { mount, allowedOrigins: new Set(allowedOrigins), insecureLoopback, trustProxyTls, loginPage };
}
