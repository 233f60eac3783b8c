import { describe, expect, it } from '@jest/globals';
import { CurfewError } from '#contracts';
import { createLogger, type LoggerOptions } from './create-logger.js';
import { PinoNestLogger } from './pino-nest-logger.js';

function setUp(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'trace',
    format: 'json',
    ...options,
    destination: { write: (line) => lines.push(line) },
  });
  const entry = () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>;
  return { logger, nest: new PinoNestLogger(logger), lines, entry };
}

const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJl';

describe('the log', () => {
  it('is one JSON object a line, at or above its level', () => {
    const { logger, lines, entry } = setUp({ level: 'warn' });
    logger.info('not this');
    logger.warn({ port: 8080 }, 'this');
    expect(lines).toHaveLength(1);
    expect(entry()).toMatchObject({ level: 40, msg: 'this', port: 8080 });
  });

  it.each([
    ['authorization', 'Bearer abc'],
    ['Authorization', 'Bearer abc'],
    ['cookie', 'a=b'],
    ['set-cookie', ['a=b']],
    ['refreshToken', 'abc'],
    ['access_token', 'abc'],
    ['token', 'abc'],
    ['clientSecret', 'abc'],
    ['CURFEW_MASTER_KEY', 'abc'],
    ['PGPASSWORD', 'abc'],
    ['x-api-key', 'abc'],
    ['Idempotency-Key', 'abc'],
  ])('G6: hides the field %s at any depth', (name, value) => {
    const { logger, lines } = setUp();
    logger.info({ [name]: value, request: { headers: [{ [name]: value }] } }, 'a call');
    expect(lines.at(-1)).not.toContain(JSON.stringify(value));
    expect(lines.at(-1)?.match(/\[redacted\]/g)).toHaveLength(2);
  });

  it.each([
    ['a refresh token', `cfr_${'Ab-_9'.repeat(9)}`],
    ['an API key', `cfk_${'Ab-_9'.repeat(9)}`],
    ['an access token', JWT],
  ])('G6: hides %s in messages, fields and errors', (_, secret) => {
    const { logger, lines } = setUp();
    logger.info(`presented: ${secret}.`);
    logger.info(`presented:\n${secret}`);
    logger.info({ note: [secret] });
    logger.error({ err: new Error(`bad ${secret}`, { cause: new Error(secret) }) });
    for (const line of lines) expect(line).not.toContain(secret.slice(0, 12));
    expect(lines[0]).toContain('presented: [redacted].');
  });

  it('G6: hides the password of a database URL', () => {
    const { logger, entry } = setUp();
    logger.info('connecting to postgres://curfew:s3cret%40x@127.0.0.1:5432/curfew');
    expect(entry()['msg']).toBe('connecting to postgres://curfew:[redacted]@127.0.0.1:5432/curfew');
  });

  it('G6: shows code, message, stack and cause of an error, and not the values in its other fields', () => {
    const { logger, entry } = setUp();
    const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (sub)=(alice)' });
    logger.error({ err: new CurfewError('ERR_UNAVAILABLE', { cause }) }, 'failed');
    expect(entry()['err']).toMatchObject({
      type: 'CurfewError',
      code: 'ERR_UNAVAILABLE',
      stack: expect.stringContaining('logging.spec') as unknown,
      cause: { code: '23505', message: 'duplicate key' },
    });
    expect(JSON.stringify(entry())).not.toContain('alice');
  });

  it('leaves names alone that only look alike, and survives circles', () => {
    const { logger, entry } = setUp();
    const circle: Record<string, unknown> = { keyId: 'k1', tokenType: 'Bearer', at: new Date(0) };
    circle['self'] = circle;
    logger.info({ circle });
    expect(entry()['circle']).toMatchObject({
      keyId: 'k1',
      tokenType: 'Bearer',
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('is readable when pretty', () => {
    const { logger, lines } = setUp({ format: 'pretty' });
    logger.info({ port: 8080 }, 'listening');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}listening port=8080\n$/);
    logger.error({ err: new Error('broken') }, 'failed');
    expect(lines[1]).toMatch(/ERROR failed \nError: broken\n\s+at /);
  });
});

describe("Nest's log calls", () => {
  it.each([
    ['log', 30],
    ['error', 50],
    ['warn', 40],
    ['debug', 20],
    ['verbose', 10],
    ['fatal', 60],
  ] as const)('%s becomes level %d with its context', (method, level) => {
    const { nest, entry } = setUp();
    nest[method]('a message', 'Context');
    expect(entry()).toMatchObject({ level, msg: 'a message', context: 'Context' });
  });

  it('keep errors, stacks and objects', () => {
    const { nest, entry } = setUp();
    nest.error(new Error('broken'), 'Context');
    expect(entry()).toMatchObject({ msg: 'broken', context: 'Context', err: { message: 'broken' } });
    nest.error('text', 'Error: text\n    at somewhere', 'Context');
    expect(entry()).toMatchObject({
      msg: 'text',
      context: 'Context',
      err: { stack: 'Error: text\n    at somewhere' },
    });
    nest.log({ a: 1, token: 'abc' }, 'Context');
    expect(entry()).toMatchObject({ details: { a: 1, token: '[redacted]' }, context: 'Context' });
  });
});
