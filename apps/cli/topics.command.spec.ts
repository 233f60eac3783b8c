import { describe, expect, it } from '@jest/globals';
import { runCli } from './program.js';

async function run(words: string, env: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const print = (text: string) => out.push(text);
  const code = await runCli(words.split(' '), { env, print, complain: (text) => err.push(text) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

/** A reserved port: nothing listens there. */
const NOBODY = '127.0.0.1:1';

describe.each(['topics create', 'topics check'])('curfew %s', (words) => {
  it('names the setting that is missing', async () => {
    expect(await run(words)).toEqual({
      code: 2,
      out: '',
      err: 'curfew: KAFKA_BROKERS: set it, and what else the brokers ask for (KAFKA_…)',
    });
  });

  it('names every setting that is wrong, never its value', async () => {
    const { code, err } = await run(words, {
      KAFKA_BROKERS: 'secret-host',
      CURFEW_KAFKA_LANES: '0',
      CURFEW_MAX_ACCESS_TTL: 'for ever',
    });
    expect(code).toBe(2);
    expect(err.match(/[A-Z_]{8,}(?=:)/g)?.toSorted()).toEqual([
      'CURFEW_KAFKA_LANES',
      'CURFEW_MAX_ACCESS_TTL',
      'KAFKA_BROKERS',
    ]);
    expect(err).not.toMatch(/secret-host|for ever/);
  });

  it('names a file that cannot be read', async () => {
    const env = { KAFKA_BROKERS: NOBODY, KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: '/nowhere/ca.pem' };
    expect(await run(words, env)).toMatchObject({
      code: 2,
      err: 'curfew: KAFKA_TLS_CA_FILE: cannot be read',
    });
  });

  it('says when no broker answers', async () => {
    const { code, err } = await run(words, { KAFKA_BROKERS: NOBODY });
    expect(code).toBe(3);
    expect(err).toMatch(/^curfew: no answer from Kafka at 127\.0\.0\.1:1: .*ECONNREFUSED/);
  });
});
