import { applyAction } from './apply.js';
import { enabledActions } from './enabled.js';
import { type LeaseMemory, ModelLease } from './node-lease.js';
import type { CounterExample } from './random-search.js';
import type { Action } from './scope.js';
import { newWorld, type Setup, type World } from './world.js';

export interface ExhaustiveResult {
  /** Different states seen. */
  readonly states: number;
  /** Actions of the longest way to a state that no shorter way reaches. */
  readonly depth: number;
  /** False when `maxStates` ended the search. */
  readonly complete: boolean;
  /** A shortest one. */
  readonly found: CounterExample | null;
}

/** One state as text, and the way to it. */
interface Visit {
  readonly state: string;
  readonly action: Action | null;
  readonly from: Visit | null;
}

/** Taken once: under Jest each look-up of a global costs far more than the multiplication. */
const { imul } = Math;

/** 53 bits of a hash: among a million states, two share one with a probability of about 1 in 10,000. */
function hash(text: string): number {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = imul(low ^ code, 0x9e3779b1);
    high = imul(high ^ code, 0x5f356495);
  }
  low = imul(low ^ (low >>> 16), 0x85ebca6b) ^ imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = imul(high ^ (high >>> 16), 0x85ebca6b) ^ imul(low ^ (low >>> 13), 0xc2b2ae35);
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}

function revive(state: string, { rules, scope }: Setup): World {
  const world = JSON.parse(state) as World;
  for (const node of world.nodes)
    node.lease = new ModelLease(scope.bound, rules, node.lease as unknown as LeaseMemory);
  return world;
}

function wayTo(visit: Visit): Action[] {
  const actions: Action[] = [];
  for (let at: Visit | null = visit; at?.action; at = at.from) actions.unshift(at.action);
  return actions;
}

/** Visits every state that the scope allows, nearest first. Every action costs one step, so a counter-example is a shortest one. */
export function searchAll(setup: Setup, maxStates: number): ExhaustiveResult {
  let layer: Visit[] = [{ state: JSON.stringify(newWorld(setup)), action: null, from: null }];
  const seen = new Set<number>();
  for (let depth = 0; ; depth++) {
    const next: Visit[] = [];
    for (const visit of layer) {
      const actions = enabledActions(revive(visit.state, setup), setup);
      for (const action of actions) {
        const world = revive(visit.state, setup);
        const violation = applyAction(world, setup, action);
        if (violation !== null) {
          const found = { schedule: 1, actions: [...wayTo(visit), action], violation };
          return { states: seen.size, depth, complete: false, found };
        }
        const state = JSON.stringify(world);
        const key = hash(state);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ state, action, from: visit });
      }
    }
    if (next.length === 0) return { states: seen.size, depth, complete: true, found: null };
    if (seen.size >= maxStates) return { states: seen.size, depth, complete: false, found: null };
    layer = next;
  }
}
