import { describe, expect, it } from '@jest/globals';
import { createCurfew, type CurfewOptions } from '../index.js';
import { kafkaRevocations, type KafkaRevocationsOptions } from './index.js';

const KAFKA = { brokers: ['127.0.0.1:1'] };
const node = (options: Partial<CurfewOptions>): CurfewOptions => ({
  service: 'http://127.0.0.1:1',
  watch: 'http://127.0.0.1:1',
  apiKey: 'k',
  issuer: 'i',
  audience: 'a',
  tenant: 't',
  ...options,
});

describe('the options of a node over Kafka', () => {
  it.each<[string, Partial<Record<keyof KafkaRevocationsOptions, unknown>>]>([
    ['kafka', { kafka: undefined }],
    ['topic', { topic: '' }],
    ['topic', { topic: 'no topic' }],
    ['groupPrefix', { groupPrefix: '' }],
    ['fallback', { fallback: 'poll' }],
    ['maxWaitTimeInMs', { maxWaitTimeInMs: 5000 }],
    ['maxWaitTimeInMs', { maxWaitTimeInMs: NaN }],
  ])('%s is checked', (field, options) => {
    expect(() => kafkaRevocations({ kafka: KAFKA, ...options } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', field }),
    );
  });

  it('a bound below 1 s is refused: it could not be kept for long', () => {
    const revocations = kafkaRevocations({ kafka: KAFKA });
    expect(() => createCurfew(node({ revocations, stalenessBound: 999 }))).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', field: 'stalenessBound' }),
    );
  });

  it('a source serves one node', async () => {
    const revocations = kafkaRevocations({ kafka: KAFKA });
    const first = createCurfew(node({ revocations }));
    expect(() => createCurfew(node({ revocations }))).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', field: 'revocations' }),
    );
    await first.close();
    expect(revocations.stats()).toMatchObject({ consumers: 0, renewals: 0 });
  });
});
