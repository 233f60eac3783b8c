import { checkedSettings, type BrowserOptions } from './settings.js';
import type { BrowserSettings, RequestFacts } from './facts.js';
import { SessionNodeDouble } from './session-node.double.js';

interface FactsInput extends Partial<Omit<RequestFacts, 'header'>> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request over TLS to https://app.example unless told otherwise. */
export function factsWith({ headers = {}, ...facts }: FactsInput = {}): RequestFacts {
  return {
    method: 'GET',
    url: '/',
    host: 'app.example',
    encrypted: true,
    remoteAddress: '203.0.113.7',
    localAddress: '10.0.0.1',
    ip: '203.0.113.7',
    header: (name) => headers[name],
    ...facts,
  };
}

export function settingsWith(options: BrowserOptions = {}, node = new SessionNodeDouble()): BrowserSettings {
  return { ...checkedSettings(options), node };
}
