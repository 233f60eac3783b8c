import { pathToFileURL } from 'node:url';
import { built } from '#local-cluster';
import { Proxy } from './proxy.js';

const scriptUrl = (path: string): string => pathToFileURL(built(`test/chaos/processes/${path}.js`)).href;

/** The script of a mutant, for `node --import`. */
const mutantUrl = (name: string): string => scriptUrl(`mutants/${name}`);

/** A process's own paths to the brokers. It sees their true addresses and arrives at proxies. */
export interface BrokerPaths {
  readonly paths: readonly Proxy[];
  readonly env: Readonly<Record<string, string>>;
}

export async function brokerPaths(brokers: readonly string[]): Promise<BrokerPaths> {
  if (brokers.length === 0) return { paths: [], env: {} };
  const ports = brokers.map((broker) => Number(broker.split(':').at(-1)));
  const paths = await Promise.all(ports.map((port) => Proxy.open(() => [port])));
  const redirects = Object.fromEntries(ports.map((port, i) => [port, paths[i]!.port]));
  return { paths, env: { CHAOS_REDIRECT: JSON.stringify(redirects) } };
}

/** What breaks a process from outside, and what leads it through proxies: scripts that run in front of its own. */
export function imports(given: { readonly mutant?: string; readonly redirect: boolean }): string[] {
  const urls = [
    ...(given.redirect ? [scriptUrl('redirect')] : []),
    ...(given.mutant === undefined ? [] : [mutantUrl(given.mutant)]),
  ];
  return urls.map((url) => `--import=${url}`);
}
