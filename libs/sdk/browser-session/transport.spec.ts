import { describe, expect, it } from '@jest/globals';
import { factsWith, settingsWith } from './request-facts.double.js';
import { assertCookiesArrive, ownOrigin, transportOf, type Transport } from './transport.js';

const plain = { encrypted: false };
const local = { ...plain, host: 'localhost:3000', remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' };
const dev = { insecureLoopback: true };

describe('transportOf', () => {
  it.each<[Transport, object, object]>([
    ['tls', {}, {}],
    ['plain', {}, plain],
    ['plain', {}, local],
    ['tls', { trustProxyTls: true }, plain],
    ['tls', dev, {}],
    ['loopback', dev, local],
    ['loopback', dev, { ...local, host: '127.0.0.1:3000' }],
    [
      'loopback',
      dev,
      { ...local, host: '[::1]:3000', remoteAddress: '::ffff:127.0.0.1', localAddress: '::1' },
    ],
    ['loopback', dev, { ...local, host: 'shop.localhost' }],
    ['plain', dev, { ...local, host: undefined }],
    ['plain', dev, { ...local, host: 'app.example' }],
    ['plain', dev, { ...local, host: 'localhost.evil.example' }],
    ['plain', dev, { ...local, host: '127.0.0.1.evil.example' }],
    ['plain', dev, { ...local, remoteAddress: '192.168.1.7' }],
    ['plain', dev, { ...local, remoteAddress: undefined }],
    ['plain', dev, { ...local, localAddress: '192.168.1.7' }],
    ['plain', dev, { ...local, headers: { forwarded: 'for=192.0.2.1' } }],
    ['plain', dev, { ...local, headers: { via: '1.1 proxy' } }],
    ['plain', dev, { ...local, headers: { 'x-forwarded-proto': 'https' } }],
  ])('is %s with %j for %j', (transport, options, facts) => {
    expect(transportOf(settingsWith(options), factsWith(facts))).toBe(transport);
  });
});

describe('assertCookiesArrive', () => {
  it('says loudly, and with the ways out, that plain http keeps no secure cookie', () => {
    expect(() => assertCookiesArrive(settingsWith(), factsWith(local))).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG',
        detail: expect.stringMatching(/trust proxy.*trustProxyTls.*insecureLoopback/),
      }),
    );
    expect(() => assertCookiesArrive(settingsWith(), factsWith())).not.toThrow();
    expect(() => assertCookiesArrive(settingsWith(dev), factsWith(local))).not.toThrow();
  });
});

describe('ownOrigin', () => {
  it('is https but for loopback by the switch', () => {
    expect(ownOrigin('tls', 'app.example:443')).toBe('https://app.example');
    expect(ownOrigin('plain', 'app.example')).toBe('https://app.example');
    expect(ownOrigin('loopback', 'localhost:3000')).toBe('http://localhost:3000');
    expect(ownOrigin('tls', undefined)).toBeUndefined();
    expect(ownOrigin('tls', 'a b')).toBeUndefined();
  });
});
