import { describe, expect, it } from '@jest/globals';
import { assertEvent, assertEventMetadata } from './assert-event.js';
import { upcast } from './upcast.js';

const HASH = 'bth4Rt7f2wzoPP2f08j5JOPdhiGSaP_qRLda9KcMZBU';
const SID = '00112233445566778899aabbccddeeff';
const AT = 1_800_000_000_000;
const SECRET = 'alice@example.com';

const admitted = (changes: object = {}) => ({
  sub: 'user-42',
  tenant: 'acme',
  sid: SID,
  left: [],
  ...changes,
});
const revoked = (changes: object = {}) => ({
  revocationId: '00000000-0000-4000-8000-000000000001',
  kind: 'global',
  epoch: 1,
  excepted: {},
  reason: 'admin',
  initiator: 'admin',
  at: AT,
  ...changes,
});
const metadata = (changes: object = {}) => ({
  recordedAt: AT,
  actor: { kind: 'api-key', id: 'key-1' },
  initiator: 'user',
  tenant: 'acme',
  correlationId: 'call-1',
  ...changes,
});

const messageOf = (work: () => void): string => {
  try {
    work();
  } catch (error) {
    expect((error as Error).constructor).toBe(Error);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
};

describe('assertEvent', () => {
  it.each([
    [
      'an idempotency key in place of its hash',
      admitted({ idempotencyKeyHash: SECRET }),
      '/idempotencyKeyHash',
    ],
    [
      'a hash with stray bits',
      admitted({ idempotencyKeyHash: HASH.replace(/U$/, 'V') }),
      '/idempotencyKeyHash',
    ],
    ['a hash and a line break', admitted({ idempotencyKeyHash: `${HASH}\n` }), '/idempotencyKeyHash'],
    ['a sid in upper case', admitted({ sid: SID.toUpperCase() }), '/sid'],
    ['a sid twice', admitted({ left: [SID, SID] }), '/left'],
    ['a sid that is none, in a list', admitted({ left: [SID, SECRET] }), '/left/1'],
    ['an empty sub', admitted({ sub: '' }), '/sub'],
    ['a control character in a sub', admitted({ sub: `a\u0000${SECRET}` }), '/sub'],
    ['a tenant with a separator', admitted({ tenant: 'a:b' }), '/tenant'],
    ['a member that it does not know', admitted({ [SECRET]: SECRET }), '/ '],
    ['no object', SECRET, '/ '],
    ['null for absent', admitted({ idempotencyKeyHash: null }), '/idempotencyKeyHash'],
  ])('refuses %s and tells the place only', (_what, data, path) => {
    const message = messageOf(() => assertEvent('user.session-admitted', 1, data));
    expect(message).toContain('user.session-admitted v1');
    expect(message).toContain(`: ${path}`);
    expect(message).not.toContain(SECRET);
  });

  it.each([
    [
      'an excepted that is no sid',
      revoked({ excepted: { [SECRET]: 1 } }),
      '/excepted (additionalProperties)',
    ],
    ['a from that is no epoch', revoked({ excepted: { [SID]: -1 } }), '/excepted/* (minimum)'],
    ['a reason that there is not', revoked({ reason: SECRET }), '/reason (enum)'],
    ['a fraction', revoked({ at: AT + 0.5 }), '/at (type)'],
    ['a number beyond integers', revoked({ at: Number.NaN }), '/at (type)'],
    ['seconds with too many digits', revoked({ at: AT * 1_000 }), '/at (maximum)'],
    ['epoch 0', revoked({ epoch: 0 }), '/epoch (minimum)'],
    ['a member missing', { ...revoked(), at: undefined }, '/ (required at)'],
  ])('refuses %s in scope.revoked', (_what, data, place) => {
    const message = messageOf(() => assertEvent('scope.revoked', 1, data));
    expect(message).toContain(place);
    for (const value of [SECRET, SID]) expect(message).not.toContain(value);
  });

  it('refuses metadata alike', () => {
    expect(() => assertEventMetadata('scope.revoked', metadata())).not.toThrow();
    for (const changes of [
      { keyId: SECRET },
      { actor: { kind: 'api-key', id: SECRET } },
      { correlationId: '' },
    ]) {
      const message = messageOf(() => assertEventMetadata('scope.revoked', metadata(changes)));
      expect(message).toContain('metadata of event scope.revoked');
      expect(message).not.toContain(SECRET);
    }
  });

  it.each([
    ['session.unheard-of', 1],
    ['toString', 1],
    ['session.rotated', 3],
    ['session.rotated', 0],
  ])('knows no %s v%i', (type, version) => {
    expect(() => assertEvent(type, version, {})).toThrow(`there is no event ${type} v${version}`);
  });
});

describe('upcast', () => {
  it('returns a current event as it is', () => {
    const event = { type: 'session.expired', schemaVersion: 1, data: {}, more: 'kept' };
    expect(upcast(event)).toBe(event);
  });

  it.each([
    ['session.unheard-of', 1],
    ['constructor', 1],
    ['session.created', 3],
    ['session.created', 0],
    ['session.created', 1.5],
    ['session.created', Number.NaN],
    ['session.revoked', 2],
  ])('stops at %s v%d: what cannot be read is not guessed', (type, schemaVersion) => {
    expect(() => upcast({ type, schemaVersion, data: { sub: SECRET } })).toThrow(
      `cannot read the event ${type} v${schemaVersion}`,
    );
  });
});
