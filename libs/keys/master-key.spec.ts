import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { isCurfewError, type CurfewError } from '#contracts';
import { MasterKey } from './master-key.js';

const BYTES = randomBytes(32);

function refusalOf(call: () => unknown): CurfewError {
  try {
    call();
  } catch (error) {
    if (isCurfewError(error)) return error;
  }
  throw new Error('not refused');
}

describe('the master key', () => {
  it('is read alike from base64 and base64url, with white space around it', () => {
    const box = MasterKey.parse(BYTES.toString('base64')).seal(['x'], Buffer.from('content'));
    for (const text of [BYTES.toString('base64url'), ` ${BYTES.toString('base64')}\n`]) {
      expect(MasterKey.parse(text).unseal(['x'], box)?.toString()).toBe('content');
    }
  });

  it.each([
    ['nothing', ''],
    ['31 bytes', BYTES.subarray(1).toString('base64')],
    ['33 bytes', Buffer.concat([BYTES, BYTES.subarray(0, 1)]).toString('base64')],
    ['hexadecimal', BYTES.toString('hex')],
    ['foreign characters', `${BYTES.toString('base64').slice(0, 20)}!${BYTES.toString('base64').slice(20)}`],
    ['a pass phrase', 'correct horse battery staple correct horse'],
  ])('is refused from %s, by name and without its value', (_, text) => {
    const parse = () => MasterKey.parse(text);
    const refusal = refusalOf(parse);
    expect(refusal.code).toBe('ERR_CONFIG');
    expect(refusal.message).toContain('CURFEW_MASTER_KEY');
    if (text !== '') expect(inspect(refusal)).not.toContain(text);
  });

  it('G6: shows itself in no print', () => {
    const key = MasterKey.parse(BYTES.toString('base64'));
    const prints = [inspect(key, { depth: 9, showHidden: true }), JSON.stringify(key)].join();
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(prints).not.toContain(BYTES.toString(encoding).slice(0, 10));
    }
  });
});
