import { describe, expect, it } from '@jest/globals';
import {
  DAY,
  given,
  MINUTE,
  revokedBy,
  rotatedTo,
  sessionCreated,
  START,
} from '../session/session.spec-support.js';
import type { SessionState } from '../session/state.js';
import { evolveUser, initialUserState, type UserState } from './admission.js';
import { decideCreate, type CreateSession } from './decide-create.js';

const NOW = START + 10 * MINUTE;

const creating = (changes: Partial<CreateSession> = {}): CreateSession => ({
  now: NOW,
  sid: 'new',
  created: sessionCreated().data,
  firstLoadRevision: 99,
  epochPassed: new Set(),
  ...changes,
});

/** A user whose sessions were admitted in this order. */
const admitted = (...admissions: readonly { sid: string; key?: string; left?: string[] }[]): UserState =>
  admissions.reduce(
    (state, { sid, key, left = [] }, revision) =>
      evolveUser(
        state,
        {
          type: 'user.session-admitted',
          data: {
            sub: 'user-1',
            tenant: 'default',
            sid,
            left,
            ...(key === undefined ? {} : { idempotencyKeyHash: key }),
          },
        },
        revision,
      ),
    initialUserState,
  );

const examined = (states: Record<string, SessionState>) => new Map(Object.entries(states));
const open = given(sessionCreated());

describe('create', () => {
  it('admits the first session of a user', () => {
    const decision = decideCreate(initialUserState, examined({}), creating());
    expect(decision).toEqual({
      outcome: 'created',
      admitted: {
        type: 'user.session-admitted',
        data: { sub: 'user-1', tenant: 'default', sid: 'new', left: [] },
      },
      created: { type: 'session.created', data: sessionCreated().data },
      ends: new Map(),
    });
  });

  it('leaves living sessions alone', () => {
    const decision = decideCreate(admitted({ sid: 'a' }), examined({ a: open }), creating());
    expect(decision).toMatchObject({ admitted: { data: { left: [] } }, ends: new Map() });
  });

  it('gives back the slot of an ended session without writing to it (G1)', () => {
    const decision = decideCreate(
      admitted({ sid: 'a' }, { sid: 'b' }),
      examined({ a: given(sessionCreated(), revokedBy('logout', NOW)), b: open }),
      creating(),
    );
    expect(decision).toMatchObject({ admitted: { data: { left: ['a'] } }, ends: new Map() });
  });

  it('puts on record that an idle session has expired, and when', () => {
    const decision = decideCreate(
      admitted({ sid: 'a' }),
      examined({ a: given(sessionCreated(), rotatedTo(1, NOW)) }),
      creating({ now: NOW + 20 * DAY }),
    );
    expect(decision).toMatchObject({
      admitted: { data: { left: ['a'] } },
      ends: new Map([
        [
          'a',
          [
            {
              type: 'session.expired',
              data: { sub: 'user-1', tenant: 'default', reason: 'idle', at: NOW + 14 * DAY },
            },
          ],
        ],
      ]),
    });
  });

  it('a repeated create ends the session that was not delivered, in the same append', () => {
    const decision = decideCreate(
      admitted({ sid: 'a', key: 'k' }, { sid: 'b', key: 'other' }),
      examined({ a: open, b: open }),
      creating({ idempotencyKeyHash: 'k', firstLoadRevision: 1 }),
    );
    expect(decision).toMatchObject({
      admitted: { data: { left: ['a'], idempotencyKeyHash: 'k' } },
      ends: new Map([['a', [{ type: 'session.revoked', data: { reason: 'policy', initiator: 'system' } }]]]),
    });
  });

  it('gives way to a same-key admission made since its own first load', () => {
    const user = admitted({ sid: 'a', key: 'k' }, { sid: 'b', key: 'k', left: ['a'] });
    const command = creating({ idempotencyKeyHash: 'k', firstLoadRevision: 0 });
    expect(decideCreate(user, examined({ b: open }), command)).toEqual({ outcome: 'superseded' });
  });

  it('also when that admission has left its slot since', () => {
    const user = admitted({ sid: 'b', key: 'k' }, { sid: 'c', left: ['b'] });
    const command = creating({ idempotencyKeyHash: 'k', firstLoadRevision: -1 });
    expect(decideCreate(user, examined({ c: open }), command)).toEqual({ outcome: 'superseded' });
  });

  it('ends the session that a login takes the place of', () => {
    const decision = decideCreate(admitted({ sid: 'a' }), examined({ a: open }), creating({ replaces: 'a' }));
    expect(decision).toMatchObject({
      admitted: { data: { left: ['a'] } },
      ends: new Map([['a', [{ type: 'session.revoked', data: { reason: 'logout', initiator: 'user' } }]]]),
    });
  });

  it('also when it belongs to another user: that user’s slot is given back at their own next create', () => {
    const decision = decideCreate(initialUserState, examined({ x: open }), creating({ replaces: 'x' }));
    expect(decision).toMatchObject({ admitted: { data: { left: [] } } });
    expect(decision.outcome === 'created' && [...decision.ends.keys()]).toEqual(['x']);
  });
});
