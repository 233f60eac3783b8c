import { describe, expect, it } from '@jest/globals';
import type { CurfewOptions } from './curfew.types.js';
import { CurfewSdkError } from './error.js';
import { checkOptions } from './options.js';

const GOOD: CurfewOptions = {
  service: 'https://service.test/base',
  watch: 'https://watch.test:7443',
  apiKey: 'secret-key',
  issuer: 'https://auth.example',
  audience: 'api',
  tenant: '*',
};

describe('the options', () => {
  it('have the documented defaults', () => {
    expect(checkOptions(GOOD)).toMatchObject({
      watch: ['https://watch.test:7443/'],
      bound: 2000,
      introspect: true,
      maxSessions: 1_000_000,
      maxRevocations: 1_000_000,
    });
    expect(checkOptions(GOOD).nodeId).not.toBe(checkOptions(GOOD).nodeId);
  });

  it('take several watch addresses, as an array or as text', () => {
    const urls = ['http://a.test/', 'http://b.test/'];
    expect(checkOptions({ ...GOOD, watch: urls }).watch).toEqual(urls);
    expect(checkOptions({ ...GOOD, watch: urls.join(' , ') }).watch).toEqual(urls);
  });

  it.each<[keyof CurfewOptions, unknown]>([
    ['service', undefined],
    ['service', 'service.test'],
    ['service', 'ftp://x-value'],
    ['service', 'https://user:x-value@service.test'],
    ['service', 'https://service.test?x-value'],
    ['watch', undefined],
    ['watch', []],
    ['watch', ''],
    ['watch', 'http://a.test,'],
    ['watch', ['http://a.test', 7]],
    ['watch', { url: 'x-value' }],
    ['apiKey', ''],
    ['apiKey', 'x-value\r\nx: y'],
    ['apiKey', 7],
    ['issuer', ''],
    ['audience', undefined],
    ['audience', ['x-value']],
    ['tenant', undefined],
    ['tenant', ''],
    ['stalenessBound', 249],
    ['stalenessBound', 60_001],
    ['stalenessBound', 1000.5],
    ['stalenessBound', '2000'],
    ['stalenessBound', NaN],
    ['onStale', 'x-value'],
    ['nodeId', ''],
    ['nodeId', 'x-value '.repeat(30)],
    ['maxSessions', 0],
    ['maxRevocations', 1e9],
  ])('name %s when it is %j, and never its value', (option, value) => {
    const call = (): unknown => checkOptions({ ...GOOD, [option]: value });
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CurfewSdkError);
    expect(error).toMatchObject({ code: 'ERR_CONFIG', status: 0, field: option });
    expect((error as Error).message).toContain(option);
    expect((error as Error).message).not.toContain('x-value');
  });
});
