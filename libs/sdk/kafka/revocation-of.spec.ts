import { describe, expect, it } from '@jest/globals';
import type { RevocationMessage } from '#contracts';
import { revocationOf } from './revocation-of.js';

const session = {
  scope: 'session',
  tenant: 'acme',
  sub: 'user-1',
  sid: 'sid-1',
  reason: 'admin',
  initiator: 'admin',
  position: '7',
};
const user = {
  scope: 'user',
  tenant: 'acme',
  sub: 'user-1',
  client: '',
  epoch: 3,
  excepted: { 'sid-1': 3 },
  revocationId: 'r-1',
  reason: 'admin',
  initiator: 'admin',
  position: '8',
};
const of = (fields: object) => revocationOf(fields as RevocationMessage);

describe('the revocation of a record', () => {
  it('is what Watch would have brought', () => {
    expect(of(session)).toEqual({
      scope: 'session',
      tenant: 'acme',
      sub: 'user-1',
      sid: 'sid-1',
      clientId: '',
      epoch: 0,
      excepted: new Map(),
    });
    expect(of(user)).toMatchObject({ scope: 'user', epoch: 3, excepted: new Map([['sid-1', 3]]) });
    expect(of({ ...user, scope: 'client', client: 'web' })).toMatchObject({ clientId: 'web' });
  });

  it('keeps a scope that this version does not know, whatever comes with it', () => {
    expect(of({ scope: 'planet' })).toMatchObject({ scope: 'planet' });
  });

  it.each([
    ['session', { ...session, sid: '' }],
    ['session', { ...session, sid: undefined }],
    ['session', { ...session, tenant: 7 }],
    ['user', { ...user, epoch: '3' }],
    ['user', { ...user, sub: undefined }],
    ['user', { ...user, excepted: undefined }],
    ['user', { ...user, excepted: null }],
    ['user', { ...user, excepted: { 'sid-1': 'all' } }],
  ])('G2: is not taken for applied when it does not say whom it ends: %s %#', (_, fields) => {
    expect(() => of(fields)).toThrow(RangeError);
  });
});
