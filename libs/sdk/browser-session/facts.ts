import { isIP } from 'node:net';
import type { Curfew } from '../core/curfew.types.js';
import type { DeviceInput } from '../http/sessions-client.types.js';

/** The part of a node that cookie mode needs. */
export type SessionNode = Pick<Curfew, 'verify' | 'sessions'>;

/** One request as every framework can describe it. Header names are lower case. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query as the browser asked for them. */
  readonly url: string;
  /** Host and port as the browser asked for them. */
  readonly host: string | undefined;
  /** The browser's connection is known to be TLS: this socket's, or by what a trusted proxy says. */
  readonly encrypted: boolean;
  readonly remoteAddress: string | undefined;
  readonly localAddress: string | undefined;
  /** The user's address, after proxies that the application trusts. */
  readonly ip: string | undefined;
  header(name: string): string | undefined;
}

/** Cookie mode's settings, checked (see `checkedSettings`). */
export interface BrowserSettings {
  readonly node: SessionNode;
  readonly mount: string;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly insecureLoopback: boolean;
  readonly trustProxyTls: boolean;
  readonly loginPage: string | undefined;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Whether the method changes something (RFC 9110 §9.2.1). An unknown one does. */
export const isUnsafe = (method: string): boolean => !SAFE_METHODS.has(method);

/** Device and network as this request shows them; what a proxy wrote that is no address is left out. */
export function deviceOf(facts: RequestFacts): DeviceInput {
  const userAgent = facts.header('user-agent')?.slice(0, 512) ?? '';
  const ip = facts.ip?.split('%', 1)[0] ?? '';
  return { ...(userAgent === '' ? {} : { userAgent }), ...(isIP(ip) === 0 ? {} : { ip }) };
}

/** The query of the request's URL. */
export function queryOf(facts: RequestFacts): URLSearchParams {
  const start = facts.url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : facts.url.slice(start));
}

/** The path of the request's URL, not decoded. */
export function pathOf(facts: RequestFacts): string {
  const end = facts.url.search(/[?#]/);
  return end < 0 ? facts.url : facts.url.slice(0, end);
}
