import { oneOf, type Fault, type Stage } from '../fault.js';
import type { MovableClock } from '../movable-clock.js';

const FIVE_MINUTES_S = 300;

interface WithClock {
  readonly clock: MovableClock | undefined;
}

const moved = (name: string, ones: (stage: Stage) => readonly WithClock[]): Fault => ({
  name,
  breaks: ['clock'],
  needs: ['faketime'],
  inject(stage) {
    const clocks = ones(stage).flatMap(({ clock }) => (clock ? [clock] : []));
    for (const clock of clocks) clock.move(oneOf(stage, [-FIVE_MINUTES_S, FIVE_MINUTES_S]));
    // Back again is one more step.
    return Promise.resolve(() => {
      for (const clock of clocks) clock.move(0);
      return Promise.resolve();
    });
  },
});

/** The wall clock of a node steps by five minutes while it runs. */
export const nodeClockMoved = moved('clock of a node moved', ({ cluster }) => cluster.nodes);
export const serviceClockMoved = moved(
  'clock of a service instance moved',
  ({ cluster }) => cluster.instances,
);
