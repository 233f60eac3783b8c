import { describe, expect, it } from '@jest/globals';
import { readSettings, UsageError } from './settings.js';

const KEY = { CURFEW_API_KEY: 'cfk_secret' };
const refusal = (...args: string[]): string => {
  try {
    readSettings(args, KEY);
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
};
const UPSTREAM = ['--upstream', 'http://127.0.0.1:7401'];

describe('settings of a relay', () => {
  it('takes several upstreams and listens on loopback unless told otherwise', () => {
    const upstream = ['https://a.example:7401', 'https://b.example:7401'];
    expect(readSettings(['--upstream', upstream.join()], KEY)).toMatchObject({
      upstream,
      host: '127.0.0.1',
      port: 7411,
      bound: 2_000,
      apiKey: 'cfk_secret',
    });
    expect(readSettings([...UPSTREAM, '--listen', '[::1]:0'], KEY)).toMatchObject({ host: '::1', port: 0 });
  });

  it.each([
    [[], '--upstream'],
    [['--upstream', 'http://10.0.0.1:7401'], '--upstream: no API key goes to another machine'],
    [['--upstream', 'a:7401'], '--upstream'],
    [[...UPSTREAM, '--listen', '0.0.0.0:7411'], '--listen: an address other than loopback needs'],
    [[...UPSTREAM, '--listen', '7411'], '--listen'],
    [[...UPSTREAM, '--staleness-bound', '2s'], '--staleness-bound'],
    [[...UPSTREAM, '--tls-cert-file', 'c'], '--tls-cert-file and --tls-key-file'],
    [[...UPSTREAM, '--node-id', 'a b'], '--node-id'],
    [[...UPSTREAM, '--api-key-file', '/does/not/exist'], '--api-key-file'],
  ])('refuses %j', (args, beginning) => {
    expect(refusal(...args).startsWith(beginning)).toBe(true);
  });

  it('takes another address where something in front ends TLS', () => {
    expect(refusal(...UPSTREAM, '--listen', '0.0.0.0:0', '--tls-terminated')).toBe('accepted');
  });

  it('needs an API key, and never shows it', () => {
    expect(() => readSettings(UPSTREAM, {})).toThrow('no API key');
    expect(() => readSettings(UPSTREAM, { CURFEW_API_KEY: 'secret with spaces' })).toThrow(/^(?!.*secret)/);
  });
});
