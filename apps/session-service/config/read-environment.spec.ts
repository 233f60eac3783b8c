import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCurfewError } from '#contracts';
import { documentedSettings } from '#platform';
import { Environment } from './environment.js';
import { readEnvironment } from './read-environment.js';

const KEY = `${'A'.repeat(43)}=`;
const refusal = (variables: Record<string, string>): string => {
  try {
    readEnvironment(variables);
  } catch (error) {
    if (isCurfewError(error, 'ERR_CONFIG')) return error.detail ?? '';
    throw error;
  }
  return 'accepted';
};

describe('readEnvironment', () => {
  it('starts with nothing set: loopback, embedded, sane times', () => {
    const env = readEnvironment({ PATH: '/bin' });
    expect(env).toMatchObject({
      CURFEW_HTTP_HOST: '127.0.0.1',
      CURFEW_HTTP_PORT: 7400,
      CURFEW_GRPC_PORT: 7401,
      CURFEW_ACCESS_TTL: 300_000,
      CURFEW_MAX_ACCESS_TTL: 900_000,
      CURFEW_IDLE_TIMEOUT: 1_209_600_000,
      CURFEW_ABSOLUTE_TIMEOUT: 7_776_000_000,
      CURFEW_REUSE_GRACE: 10_000,
      CURFEW_ALLOW_EMAIL_SUB: false,
    });
    expect(env.DATABASE_URL).toBeUndefined();
  });

  it.each([
    ['300', 300_000],
    ['300s', 300_000],
    ['5m', 300_000],
    ['1500ms', 1_500],
  ])('reads the duration %s', (text, ms) => {
    expect(readEnvironment({ CURFEW_ACCESS_TTL: text }).CURFEW_ACCESS_TTL).toBe(ms);
  });

  it('takes an empty setting for an absent one', () => {
    expect(readEnvironment({ CURFEW_HTTP_PORT: '' }).CURFEW_HTTP_PORT).toBe(7400);
  });

  it('names an unknown setting and the nearest known one', () => {
    expect(refusal({ CURFEW_HTTP_PROT: '1' })).toBe(
      'CURFEW_HTTP_PROT: is not a setting; did you mean CURFEW_HTTP_PORT?',
    );
    expect(refusal({ CURFEW_ZZZ: '1' })).toBe('CURFEW_ZZZ: is not a setting');
  });

  it("lets the CLI's settings be", () => {
    expect(refusal({ CURFEW_URL: 'http://127.0.0.1:1', CURFEW_API_KEY: 'x' })).toBe('accepted');
  });

  it.each([
    ['CURFEW_HTTP_PORT', '65536'],
    ['CURFEW_HTTP_PORT', '-1'],
    ['CURFEW_HTTP_PORT', '0x10'],
    ['CURFEW_ACCESS_TTL', '0'],
    ['CURFEW_ACCESS_TTL', '5 m'],
    ['CURFEW_ACCESS_TTL', '1e3'],
    ['CURFEW_REUSE_GRACE', '-1'],
    ['CURFEW_TLS_TERMINATED', 'yes'],
    ['CURFEW_LOG_LEVEL', 'loud'],
    ['CURFEW_LOG_FORMAT', 'xml'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['CURFEW_MASTER_KEY', 'short-secret-value'],
    ['CURFEW_ISSUER', 'a\nb'],
  ])('refuses a bad %s by its name, without its value (%j)', (name, value) => {
    const detail = refusal({ [name]: value });
    expect(detail).toMatch(new RegExp(`^${name}: `));
    expect(detail.slice(name.length)).not.toContain(value);
  });

  it('reports every fault at once', () => {
    const detail = refusal({ CURFEW_HTTP_PORT: 'x', CURFEW_GRPC_PORT: 'y', CURFEW_NOPE: 'z' });
    expect(detail.split('\n').map((line) => line.split(':')[0])).toEqual([
      'CURFEW_NOPE',
      'CURFEW_HTTP_PORT',
      'CURFEW_GRPC_PORT',
    ]);
  });

  it.each([
    [{ CURFEW_ACCESS_TTL: '901' }, 'CURFEW_ACCESS_TTL'],
    [{ CURFEW_IDLE_TIMEOUT: '91d' }, 'CURFEW_IDLE_TIMEOUT'],
    [{ CURFEW_TLS_CERT_FILE: 'a.pem' }, 'CURFEW_TLS_CERT_FILE'],
    [{ CURFEW_MASTER_KEY: KEY, CURFEW_MASTER_KEY_FILE: 'k' }, 'CURFEW_MASTER_KEY'],
    [{ NODE_ENV: 'production' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgres://u@h/d' }, 'CURFEW_MASTER_KEY'],
    [{ NODE_ENV: 'production', DATABASE_URL: 'postgres://u@h/d' }, 'CURFEW_MASTER_KEY'],
  ])('refuses what does not go together: %j', (variables, name) => {
    expect(refusal(variables)).toMatch(new RegExp(`^${name}\\b`));
  });

  it('accepts production with a database and a master key', () => {
    expect(
      refusal({ NODE_ENV: 'production', DATABASE_URL: 'postgres://u@h/d', CURFEW_MASTER_KEY: KEY }),
    ).toBe('accepted');
  });

  describe.each(['CURFEW_HTTP_HOST', 'CURFEW_GRPC_HOST'])('%s', (name) => {
    it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('may be %s without TLS', (host) => {
      expect(refusal({ [name]: host })).toBe('accepted');
    });
    it.each(['0.0.0.0', '::', '10.1.2.3', '127.0.0.1.example.com', 'example.com'])(
      'may be %s only with TLS, here or in front',
      (host) => {
        expect(refusal({ [name]: host })).toMatch(new RegExp(`^${name}: `));
        expect(refusal({ [name]: host, CURFEW_TLS_TERMINATED: 'true' })).toBe('accepted');
        expect(refusal({ [name]: host, CURFEW_TLS_CERT_FILE: 'c', CURFEW_TLS_KEY_FILE: 'k' })).toBe(
          'accepted',
        );
      },
    );
  });

  describe('Kafka', () => {
    const BROKERS = { KAFKA_BROKERS: 'b1:9092' };
    const PASSWORD = { KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' };

    it('is off unless there are brokers', () => {
      const env = readEnvironment({});
      expect([env.KAFKA_BROKERS, env.CURFEW_RELAY, env.KAFKA_TLS]).toEqual([undefined, undefined, false]);
      expect(env).toMatchObject({
        CURFEW_KAFKA_REVOCATIONS_TOPIC: 'curfew.revocations.v1',
        CURFEW_KAFKA_SESSION_EVENTS_TOPIC: 'curfew.session-events.v1',
        CURFEW_KAFKA_HEARTBEAT: 200,
      });
    });

    it.each(['b1:9092', 'b1.example.com:9092,b2:65535', '127.0.0.1:1, [::1]:9092'])(
      'takes the brokers %j',
      (brokers) => {
        expect(refusal({ KAFKA_BROKERS: brokers })).toBe('accepted');
      },
    );

    it.each([
      ['KAFKA_BROKERS', 'broker-x'],
      ['KAFKA_BROKERS', 'broker-x:0'],
      ['KAFKA_BROKERS', 'broker-x:65536'],
      ['KAFKA_BROKERS', 'broker-x:9092,'],
      ['KAFKA_BROKERS', 'kafka://broker-x:9092'],
      ['KAFKA_TLS', 'on'],
      ['KAFKA_SASL_MECHANISM', 'gssapi'],
      ['CURFEW_KAFKA_REVOCATIONS_TOPIC', 'a b'],
      ['CURFEW_KAFKA_SESSION_EVENTS_TOPIC', '..'],
      ['CURFEW_KAFKA_LANES', '65'],
      ['CURFEW_KAFKA_REPLICATION', '1.5'],
      ['CURFEW_KAFKA_MIN_ISR', '-1'],
      ['CURFEW_KAFKA_HEARTBEAT', '1001ms'],
    ])('refuses a bad %s by its name, without its value (%j)', (name, value) => {
      const detail = refusal({ ...BROKERS, [name]: value });
      expect(detail).toMatch(new RegExp(`^${name}: `));
      expect(detail.slice(name.length)).not.toContain(value);
    });

    it.each([
      [
        { ...BROKERS, KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: 'c' },
        'KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE',
      ],
      [
        { ...BROKERS, KAFKA_TLS: 'true', KAFKA_TLS_KEY_FILE: 'k' },
        'KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE',
      ],
      [{ ...BROKERS, KAFKA_TLS_CA_FILE: 'ca' }, 'KAFKA_TLS_CA_FILE'],
      [{ ...BROKERS, ...PASSWORD }, 'KAFKA_SASL_MECHANISM'],
      [
        { ...BROKERS, KAFKA_SASL_MECHANISM: 'scram-sha-256', KAFKA_SASL_PASSWORD: 'p' },
        'KAFKA_SASL_USERNAME',
      ],
      [
        { ...BROKERS, KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'u' },
        'KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE',
      ],
      [
        { ...BROKERS, KAFKA_SASL_MECHANISM: 'scram-sha-512', ...PASSWORD, KAFKA_SASL_PASSWORD_FILE: 'f' },
        'KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE',
      ],
      [{ ...BROKERS, KAFKA_SASL_MECHANISM: 'plain', ...PASSWORD }, 'KAFKA_SASL_MECHANISM'],
      [{ KAFKA_TLS: 'true' }, 'KAFKA_TLS'],
      [{ CURFEW_RELAY: 'true' }, 'CURFEW_RELAY'],
      [{ CURFEW_KAFKA_MIN_ISR: '2' }, 'CURFEW_KAFKA_MIN_ISR'],
      [{ CURFEW_KAFKA_SESSION_EVENTS_TOPIC: 'curfew.revocations.v1' }, 'CURFEW_KAFKA_SESSION_EVENTS_TOPIC'],
    ])('refuses what does not go together: %j', (variables, name) => {
      expect(refusal(variables)).toMatch(new RegExp(`^${name}: `));
    });

    it('takes what goes together', () => {
      const tls = {
        KAFKA_TLS: 'true',
        KAFKA_TLS_CA_FILE: 'ca',
        KAFKA_TLS_CERT_FILE: 'c',
        KAFKA_TLS_KEY_FILE: 'k',
      };
      expect(refusal({ ...BROKERS, ...tls, KAFKA_SASL_MECHANISM: 'plain', ...PASSWORD })).toBe('accepted');
      expect(refusal({ ...BROKERS, KAFKA_SASL_MECHANISM: 'scram-sha-256', ...PASSWORD })).toBe('accepted');
      expect(refusal({ ...BROKERS, CURFEW_RELAY: 'false' })).toBe('accepted');
    });

    it('notices a slip in a name of its own, and lets those of other programs be', () => {
      expect(refusal({ KAFKA_TSL: 'true' })).toBe('KAFKA_TSL: is not a setting; did you mean KAFKA_TLS?');
      expect(
        refusal({ KAFKA_HEAP_OPTS: '-Xmx1g', KAFKA_HOME: '/opt', KAFKA_OPTS: 'x', KAFKA_LOG_DIRS: 'd' }),
      ).toBe('accepted');
    });
  });

  it('never shows a value, whatever the environment holds', () => {
    const names = documentedSettings(Environment).map(({ name }) => name);
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(...names, 'CURFEW_OTHER'),
          fc.string({ minLength: 3 }).map((text) => `§${text}§`),
        ),
        (variables) => {
          expect(refusal(variables)).not.toContain('§');
        },
      ),
    );
  });
});
