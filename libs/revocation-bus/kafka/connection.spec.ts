import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openKafka, readKafkaConnection, type KafkaLog } from './connection.js';
import { KafkaEnvironment } from './kafka-environment.js';

let folder: string;
const file = (name: string) => join(folder, name);
const env = (settings: Partial<KafkaEnvironment>) => Object.assign(new KafkaEnvironment(), settings);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'curfew-kafka-'));
  for (const [name, text] of Object.entries({
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
    password: 's3cret\n',
    empty: '\n',
  }))
    await writeFile(file(name), text);
});
afterAll(() => rm(folder, { recursive: true }));

describe('readKafkaConnection', () => {
  it('is nothing without brokers', async () => {
    expect(await readKafkaConnection(env({}), 'curfew-relay')).toBeUndefined();
  });

  it('takes several brokers', async () => {
    expect(await readKafkaConnection(env({ KAFKA_BROKERS: 'a:1, b:2' }), 'curfew-relay')).toEqual({
      brokers: ['a:1', 'b:2'],
      clientId: 'curfew-relay',
    });
  });

  it('reads certificates and the password from their files', async () => {
    const settings = env({
      KAFKA_BROKERS: 'a:1',
      KAFKA_TLS: true,
      KAFKA_TLS_CA_FILE: file('ca'),
      KAFKA_TLS_CERT_FILE: file('cert'),
      KAFKA_TLS_KEY_FILE: file('key'),
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD_FILE: file('password'),
    });
    expect(await readKafkaConnection(settings, 'c')).toMatchObject({
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY' },
      sasl: { mechanism: 'scram-sha-512', username: 'u', password: 's3cret' },
    });
  });

  it.each(['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'] as const)(
    'names %s when it cannot be read',
    async (name) => {
      const settings = env({ KAFKA_BROKERS: 'a:1', KAFKA_TLS: true, [name]: file('absent') });
      await expect(readKafkaConnection(settings, 'c')).rejects.toMatchObject({
        code: 'ERR_CONFIG',
        detail: `${name}: cannot be read`,
      });
    },
  );

  it.each([
    ['absent', 'KAFKA_SASL_PASSWORD_FILE: cannot be read'],
    ['empty', 'KAFKA_SASL_PASSWORD_FILE: holds no password'],
  ])('names the file of the password when it is %s', async (name, detail) => {
    const settings = env({
      KAFKA_BROKERS: 'a:1',
      KAFKA_SASL_MECHANISM: 'scram-sha-256',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD_FILE: file(name),
    });
    await expect(readKafkaConnection(settings, 'c')).rejects.toMatchObject({ code: 'ERR_CONFIG', detail });
  });
});

describe('openKafka', () => {
  it('gives up on brokers that are not there within seconds, and tells the log, never the password', async () => {
    const lines: Parameters<KafkaLog>[] = [];
    const kafka = openKafka(
      // A reserved port: nothing listens there.
      {
        brokers: ['127.0.0.1:1'],
        clientId: 'c',
        sasl: { mechanism: 'plain', username: 'u', password: 's3cret' },
      },
      (...line) => lines.push(line),
    );
    const began = performance.now();
    await expect(kafka.admin().connect()).rejects.toThrow(/ECONNREFUSED/);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(lines.map(([level]) => level)).toContain('error');
    expect(JSON.stringify(lines)).toContain('127.0.0.1:1');
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });
});
