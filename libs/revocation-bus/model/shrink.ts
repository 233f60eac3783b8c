import { applyAction } from './apply.js';
import { enabledActions } from './enabled.js';
import type { CounterExample } from './random-search.js';
import type { Action } from './scope.js';
import { newWorld, type Setup, type Violation } from './world.js';

interface Replay {
  readonly actions: Action[];
  readonly violation: Violation;
}

/** Plays what can be played of `wanted`, in order, up to the violation. */
export function replay(setup: Setup, wanted: readonly Action[]): Replay | null {
  const world = newWorld(setup);
  const actions: Action[] = [];
  for (const action of wanted) {
    const { kind, who, what } = action;
    const possible = enabledActions(world, setup).some(
      (other) => other.kind === kind && other.who === who && other.what === what,
    );
    if (!possible) continue;
    actions.push(action);
    const violation = applyAction(world, setup, action);
    if (violation !== null) return { actions, violation };
  }
  return null;
}

/** Leaves out runs of actions, long ones first, as long as the rest still breaks G2: no single action can then be left out. */
export function shrink(setup: Setup, example: CounterExample): CounterExample {
  let best: Replay = { actions: [...example.actions], violation: example.violation };
  for (let size = Math.ceil(best.actions.length / 2); size >= 1;) {
    let shorter = false;
    for (let start = 0; start < best.actions.length;) {
      const without = [...best.actions.slice(0, start), ...best.actions.slice(start + size)];
      const again = replay(setup, without);
      if (again !== null && again.actions.length < best.actions.length) {
        best = again;
        shorter = true;
      } else start += size;
    }
    if (size === 1 && !shorter) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return { ...example, actions: best.actions, violation: best.violation };
}
