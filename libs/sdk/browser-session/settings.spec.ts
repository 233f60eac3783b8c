import { afterEach, describe, expect, it } from '@jest/globals';
import { checkedSettings } from './settings.js';

const environment = process.env['NODE_ENV'];
afterEach(() => {
  process.env['NODE_ENV'] = environment;
});

describe('checkedSettings', () => {
  it('has safe defaults', () => {
    expect(checkedSettings({})).toEqual({
      mount: '/session',
      allowedOrigins: new Set(),
      insecureLoopback: false,
      trustProxyTls: false,
      loginPage: undefined,
    });
  });

  it.each([
    ['mount', { mount: 'session' }],
    ['mount', { mount: '/' }],
    ['mount', { mount: '/session/' }],
    ['mount', { mount: '/a/../b' }],
    ['mount', { mount: '/a; Domain=evil.example' }],
    ['allowedOrigins', { allowedOrigins: ['*'] }],
    ['allowedOrigins', { allowedOrigins: ['null'] }],
    ['allowedOrigins', { allowedOrigins: ['https://shop.example/'] }],
    ['allowedOrigins', { allowedOrigins: ['shop.example'] }],
    ['allowedOrigins', { allowedOrigins: ['https://shop.example', 'HTTPS://SHOP.example'] }],
    ['loginPage', { loginPage: 'https://evil.example/' }],
    ['loginPage', { loginPage: '//evil.example/' }],
    ['loginPage', { loginPage: '/\\evil.example/' }],
    ['insecureLoopback', { insecureLoopback: true, trustProxyTls: true }],
  ])('refuses a bad %s by name: %j', (field, options) => {
    expect(() => checkedSettings(options)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG', field }));
  });

  it('refuses insecureLoopback in production', () => {
    process.env['NODE_ENV'] = 'production';
    expect(() => checkedSettings({ insecureLoopback: true })).toThrow(/insecureLoopback/);
    expect(() => checkedSettings({})).not.toThrow();
  });
});
