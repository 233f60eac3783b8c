import { applyAction } from './apply.js';
import { enabledActions } from './enabled.js';
import { ACTION_KINDS, type Action, type ActionKind } from './scope.js';
import { newWorld, type Setup, type Violation } from './world.js';

export interface CounterExample {
  /** Number of the schedule that showed it, from 1; the search is repeated by its seed. */
  readonly schedule: number;
  readonly actions: readonly Action[];
  readonly violation: Violation;
}

export interface RandomSearch {
  readonly seed: number;
  readonly schedules: number;
  /** Most actions in one schedule. */
  readonly length: number;
}

export interface RandomResult {
  readonly schedules: number;
  readonly actions: number;
  readonly found: CounterExample | null;
}

/** Mulberry32: numbers in [0, 1), the same for the same seed everywhere. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often a kind is taken when it could be; what is rare in life is rare here, but never absent. */
const WEIGHT: Partial<Record<ActionKind, number>> = {
  tick: 2,
  revoke: 1,
  commit: 1,
  return: 5,
  abort: 0.5,
  'fail-over': 0.5,
  'crash-store': 0.5,
  'reconnect-store': 1.5,
  'restart-instance': 0.3,
  connect: 0.5,
  cut: 0.5,
  check: 0.5,
  decide: 4,
  'restart-node': 0.3,
  'begin-barrier': 5,
  'write-barrier': 5,
  'read-barrier': 5,
  queue: 5,
  'deliver-request': 6,
  'deliver-answer': 5,
  renew: 4,
  sleep: 0.5,
  'step-wall': 0.5,
};

/**
 * Each schedule has weights of its own, some kinds ten times rarer and some several times more frequent ("swarm testing"): a
 * uniform mix hardly ever starves one queue for as long as many of the counter-examples need.
 */
function swarmWeights({ scope }: Setup, random: () => number): Map<ActionKind, number> {
  const factors = [0.1, 0.5, 1, 1, 3];
  const factor = (): number => factors[Math.floor(random() * factors.length)] ?? 1;
  return new Map(ACTION_KINDS.map((kind) => [kind, (scope.weights?.[kind] ?? WEIGHT[kind] ?? 1) * factor()]));
}

function pick(actions: readonly Action[], weights: Map<ActionKind, number>, random: () => number): Action {
  const byKind = new Map<ActionKind, Action[]>();
  for (const action of actions) {
    const same = byKind.get(action.kind);
    if (same === undefined) byKind.set(action.kind, [action]);
    else same.push(action);
  }
  let rest = 0;
  for (const kind of byKind.keys()) rest += weights.get(kind) ?? 1;
  rest *= random();
  let chosen: Action[] = [];
  for (const [kind, same] of byKind) {
    chosen = same;
    rest -= weights.get(kind) ?? 1;
    if (rest < 0) break;
  }
  const action = chosen[Math.floor(random() * chosen.length)];
  if (action === undefined) throw new Error('nothing can happen');
  return action;
}

/** Runs schedules until one breaks G2 or all are done. */
export function searchAtRandom(setup: Setup, { seed, schedules, length }: RandomSearch): RandomResult {
  let count = 0;
  for (let schedule = 1; schedule <= schedules; schedule++) {
    const random = randomNumbers(seed + schedule * 7919);
    const weights = swarmWeights(setup, random);
    const world = newWorld(setup);
    const actions: Action[] = [];
    for (let step = 0; step < length; step++) {
      const action = pick(enabledActions(world, setup), weights, random);
      actions.push(action);
      count++;
      const violation = applyAction(world, setup, action);
      if (violation !== null)
        return { schedules: schedule, actions: count, found: { schedule, actions, violation } };
    }
  }
  return { schedules, actions: count, found: null };
}
