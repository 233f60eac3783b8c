import { describe, expect, it } from '@jest/globals';
import { decideRefresh, type Refresh } from './decide-refresh.js';
import type { SessionEvent } from './events.js';
import { generationOf } from './evolve.js';
import {
  DAY,
  given,
  hashOf,
  MINUTE,
  presenting,
  revokedBy,
  rotatedTo,
  SECOND,
  sessionCreated,
  START,
} from './session.spec-support.js';

const T1 = START + 5 * MINUTE;
const T2 = START + 10 * MINUTE;
const types = (events: readonly SessionEvent[]) => events.map(({ type }) => type);

/** Given events, when a refresh, then an outcome. */
const when = (events: readonly SessionEvent[], command: Refresh) => decideRefresh(given(...events), command);

describe('row 1: the current generation', () => {
  it('rotates', () => {
    const decision = when([sessionCreated()], presenting(0, T1, { idempotencyKeyHash: 'k1' }));
    expect(decision).toEqual({
      outcome: 'rotated',
      gen: 1,
      events: [
        {
          type: 'session.rotated',
          data: {
            gen: 1,
            secretHash: hashOf(1),
            salt: 'salt-1',
            pepperId: 1,
            macKeyId: 1,
            idempotencyKeyHash: 'k1',
            at: T1,
            supersededAt: T1,
            accessExp: T1 / SECOND + 300,
          },
        },
      ],
    });
  });

  it('records the superseding as the event is sent, not as the command began', () => {
    const decision = when([sessionCreated()], presenting(0, T1, { sentAt: T1 + 900 }));
    expect(decision.events[0]?.data).toMatchObject({ at: T1, supersededAt: T1 + 900 });
  });

  it('refuses the Idempotency-Key of the previous rotation and writes nothing (422)', () => {
    const decision = when(
      [sessionCreated(), rotatedTo(1, T1, 'k1')],
      presenting(1, T2, { idempotencyKeyHash: 'k1' }),
    );
    expect(decision).toEqual({ outcome: 'key-reused', events: [] });
  });

  it('keeps the access token within the life of the session', () => {
    const policy = { ...sessionCreated().data.policy, absoluteTimeout: 6 * MINUTE };
    const decision = when([sessionCreated({ policy })], presenting(0, T1));
    expect(decision.events[0]?.data).toMatchObject({ accessExp: START / SECOND + 360 });
  });
});

describe('row 2: the previous generation with the Idempotency-Key of its rotation', () => {
  const rotated = [sessionCreated(), rotatedTo(1, T1, 'k1')];

  it('G3: gives the same successor, a month later too, as long as it is not rotated', () => {
    const policy = { ...sessionCreated().data.policy, idleTimeout: 60 * DAY };
    const decision = when(
      [sessionCreated({ policy }), rotatedTo(1, T1, 'k1')],
      presenting(0, T1 + 30 * DAY, { idempotencyKeyHash: 'k1' }),
    );
    expect(decision).toMatchObject({ outcome: 'replayed', gen: 1, rule: 'idempotency-key' });
    expect(types(decision.events)).toEqual(['session.rotation-replayed']);
  });

  it('G3: gives the same successor within the grace of its own rotation', () => {
    const decision = when(
      [...rotated, rotatedTo(2, T2, 'k2')],
      presenting(0, T2 + 9 * SECOND, {
        idempotencyKeyHash: 'k1',
        olderGeneration: { gen: 0, secretHash: hashOf(0), macKeyId: 1, accessExp: 0, replays: [] },
      }),
    );
    expect(decision).toMatchObject({ outcome: 'replayed', gen: 1, rule: 'idempotency-key' });
  });

  it('G4: is theft when the successor was rotated longer ago than the grace', () => {
    const decision = when(
      [...rotated, rotatedTo(2, T2, 'k2')],
      presenting(0, T2 + 11 * SECOND, {
        idempotencyKeyHash: 'k1',
        olderGeneration: { gen: 0, secretHash: hashOf(0), macKeyId: 1, accessExp: 0, replays: [] },
      }),
    );
    expect(decision.outcome).toBe('theft');
  });

  it('G4: is theft with another key, once the grace is over', () => {
    expect(when(rotated, presenting(0, T1 + 11 * SECOND, { idempotencyKeyHash: 'other' })).outcome).toBe(
      'theft',
    );
  });

  it('records a replay once per rotation and rule', () => {
    const first = when(rotated, presenting(0, T2, { idempotencyKeyHash: 'k1' }));
    const second = when([...rotated, ...first.events], presenting(0, T2, { idempotencyKeyHash: 'k1' }));
    expect(second).toMatchObject({ outcome: 'replayed', gen: 1, events: [] });
    const otherRule = when([...rotated, ...first.events], presenting(0, T1 + SECOND));
    expect(types(otherRule.events)).toEqual(['session.rotation-replayed']);
  });
});

describe('row 3: a superseded generation within the grace, or current at the first load', () => {
  const twice = [sessionCreated(), rotatedTo(1, T1), rotatedTo(2, T1 + SECOND)];

  it('G3: gives the current token, several rotations on', () => {
    expect(when(twice, presenting(0, T1 + 9 * SECOND))).toMatchObject({
      outcome: 'replayed',
      gen: 2,
      rule: 'grace',
    });
  });

  it('counts the grace from the append that superseded it, for a command received before it', () => {
    expect(when(twice, presenting(0, T1 - SECOND))).toMatchObject({ outcome: 'replayed', gen: 2 });
  });

  it('G3: accepts what the first load of a slow request showed as current, without any grace', () => {
    const policy = { ...sessionCreated().data.policy, reuseGrace: 0 };
    const events = [sessionCreated({ policy }), rotatedTo(1, T1)];
    expect(when(events, presenting(0, T1, { firstLoadGen: 0 }))).toMatchObject({
      outcome: 'replayed',
      rule: 'first-load',
    });
    expect(when(events, presenting(0, T1, { firstLoadGen: 1 })).outcome).toBe('theft');
  });

  it('G3: judges by its receipt, though the rotation that it meets came when the grace was over', () => {
    const events = [sessionCreated(), rotatedTo(1, T1), rotatedTo(2, T1 + 10 * SECOND + 20)];
    expect(when(events, presenting(0, T1 + 9_900))).toMatchObject({
      outcome: 'replayed',
      gen: 2,
      rule: 'grace',
    });
    const retried = [
      sessionCreated(),
      rotatedTo(1, T1, 'k1'),
      rotatedTo(2, T2, 'k2'),
      rotatedTo(3, T2 + 10 * SECOND + 20),
    ];
    const olderGeneration = { gen: 0, secretHash: hashOf(0), macKeyId: 1, accessExp: 0, replays: [] };
    expect(
      when(retried, presenting(0, T2 + 9_900, { idempotencyKeyHash: 'k1', olderGeneration })),
    ).toMatchObject({
      outcome: 'replayed',
      gen: 1,
      rule: 'idempotency-key',
    });
  });

  it('the grace ends after reuseGrace', () => {
    expect(when(twice, presenting(0, T1 + 10 * SECOND)).outcome).toBe('replayed');
    expect(when(twice, presenting(0, T1 + 10 * SECOND + 1)).outcome).toBe('theft');
  });
});

describe('row 4: any other generation whose secret matches is theft', () => {
  it('G4: detected and revoked in one append', () => {
    const decision = when([sessionCreated(), rotatedTo(1, T1)], presenting(0, T2));
    expect(decision.outcome).toBe('theft');
    expect(decision.events).toEqual([
      { type: 'session.theft-detected', data: { presentedGen: 0, currentGen: 1 } },
      {
        type: 'session.revoked',
        data: { sub: 'user-1', tenant: 'default', reason: 'theft', initiator: 'system', at: T2 },
      },
    ]);
  });

  it('G4: also for a generation that the state no longer keeps', () => {
    const events = [sessionCreated(), ...[1, 2, 3, 4].map((gen) => rotatedTo(gen, START + gen * MINUTE))];
    const old = rotatedTo(1, START + MINUTE);
    const olderGeneration = old.type === 'session.rotated' ? generationOf(old.data) : undefined;
    expect(given(...events)).toMatchObject({ status: 'open', gen: 4 });
    const decision = when(events, presenting(1, T2, olderGeneration ? { olderGeneration } : {}));
    expect(decision.outcome).toBe('theft');
  });
});

describe('row 5: an ended session', () => {
  it.each([
    ['revoked', [revokedBy('logout', T1)]],
    [
      'expired',
      [{ type: 'session.expired', data: { sub: 'u', tenant: 'default', reason: 'idle', at: T1 } } as const],
    ],
  ] as const)('G1: %s: refused, never theft, never in grace', (_, end) => {
    for (const gen of [0, 1, 2]) {
      const decision = when([sessionCreated(), rotatedTo(1, T1), ...end], presenting(gen, T1 + SECOND));
      expect(decision).toEqual({ outcome: 'refused', cause: 'ended', events: [] });
    }
  });

  it('is refused past the idle and past the absolute timeout, whether or not that is on record', () => {
    const events = [sessionCreated(), rotatedTo(1, T1)];
    expect(when(events, presenting(1, T1 + 14 * DAY - 1)).outcome).toBe('rotated');
    expect(when(events, presenting(1, T1 + 14 * DAY))).toMatchObject({
      outcome: 'refused',
      cause: 'expired',
    });
    expect(when(events, presenting(0, T1 + 14 * DAY))).toMatchObject({
      outcome: 'refused',
      cause: 'expired',
    });
  });
});

describe('row 6: the right MAC, but a wrong secret or a generation above the current', () => {
  const events = [sessionCreated(), rotatedTo(1, T1)];

  it('G4: ends nothing: refused, nothing written', () => {
    for (const gen of [0, 1]) {
      const forged = presenting(gen, T2, { presented: { gen, secretHash: 'forged' } });
      expect(when(events, forged)).toEqual({ outcome: 'refused', cause: 'wrong-secret', events: [] });
    }
    expect(when(events, presenting(2, T2))).toEqual({
      outcome: 'refused',
      cause: 'generation-ahead',
      events: [],
    });
    expect(when([], presenting(0, T2))).toEqual({ outcome: 'refused', cause: 'unknown', events: [] });
  });

  it('G4: a wrong secret for a generation that could not be found is no theft', () => {
    const many = [sessionCreated(), ...[1, 2, 3].map((gen) => rotatedTo(gen, START + gen * MINUTE))];
    expect(when(many, presenting(0, T2))).toMatchObject({ outcome: 'refused', cause: 'wrong-secret' });
  });
});
