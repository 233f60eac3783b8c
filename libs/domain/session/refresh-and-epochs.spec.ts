import { describe, expect, it } from '@jest/globals';
import type { PerScope } from '../scope/scope.js';
import { initialScopeState, type ScopeState } from '../scope/state.js';
import { decideRefresh } from './decide-refresh.js';
import { given, MINUTE, presenting, rotatedTo, sessionCreated, START } from './session.spec-support.js';

const T1 = START + 5 * MINUTE;

/** Scopes that stand at these epochs; `excepted` is the user's map. */
const at = (
  epochs: readonly [number, number, number, number],
  excepted: Record<string, number> = {},
): PerScope<ScopeState> => {
  const [user, client, tenant, global] = epochs;
  const quiet = initialScopeState;
  return [
    { ...quiet, epoch: user, excepted },
    { ...quiet, epoch: client },
    { ...quiet, epoch: tenant },
    { ...quiet, epoch: global },
  ];
};

describe('refresh and epochs', () => {
  it.each([
    ['user', [1, 0, 0, 0]],
    ['client', [0, 1, 0, 0]],
    ['tenant', [0, 0, 1, 0]],
    ['everyone', [0, 0, 0, 1]],
  ] as const)('G5: refuses a session that a mass revocation of its %s has ended', (_, epochs) => {
    const state = given(sessionCreated());
    expect(decideRefresh(state, presenting(0, T1, { scopes: at(epochs) }))).toEqual({
      outcome: 'refused',
      cause: 'epoch-passed',
      events: [],
    });
  });

  it('G5: then neither the grace, nor a key, nor reuse matters: refused, and no theft', () => {
    const state = given(sessionCreated(), rotatedTo(1, T1, 'key'));
    for (const now of [T1 + 1, T1 + 60 * MINUTE]) {
      const again = presenting(0, now, { scopes: at([1, 0, 0, 0]), idempotencyKeyHash: 'key' });
      expect(decideRefresh(state, again)).toMatchObject({ outcome: 'refused', cause: 'epoch-passed' });
    }
  });

  it('adopts the epochs of its scopes when it was excepted', () => {
    const state = given(sessionCreated());
    const decision = decideRefresh(state, presenting(0, T1, { scopes: at([2, 0, 0, 0], { 'sid-1': 0 }) }));
    expect(decision).toMatchObject({ outcome: 'rotated', events: [{ data: { ep: [2, 0, 0, 0] } }] });
  });

  it('writes no epochs when nothing has changed', () => {
    const state = given(sessionCreated({ ep: [3, 0, 1, 0] }));
    const decision = decideRefresh(state, presenting(0, T1, { scopes: at([3, 0, 1, 0]) }));
    expect(decision.events[0]!.data).not.toHaveProperty('ep');
  });

  it('never goes back to a lower epoch, when the scopes were read before the session was', () => {
    const state = given(sessionCreated({ ep: [3, 0, 0, 0] }));
    const decision = decideRefresh(state, presenting(0, T1, { scopes: at([2, 1, 0, 0], { 'sid-1': 0 }) }));
    expect(decision).toMatchObject({ outcome: 'refused', cause: 'epoch-passed' });
    const later = decideRefresh(state, presenting(0, T1, { scopes: at([2, 0, 0, 0]) }));
    expect(later).toMatchObject({ outcome: 'rotated' });
    expect(later.events[0]!.data).not.toHaveProperty('ep');
  });
});
