import type { ChaosCluster } from './chaos-cluster.js';

/** What a fault cannot do without. */
export type Need = 'faketime' | 'Kafka';

/** In the order in which they are healed: what starts again finds what it needs. */
export const PARTS = ['clock', 'postgres', 'broker', 'topic', 'services', 'nodes'] as const;
/** Two faults that break the same part are not played at once. */
export type Part = (typeof PARTS)[number];

export interface Stage {
  readonly cluster: ChaosCluster;
  readonly random: () => number;
  /** How long it will last, milliseconds. */
  readonly holdMs: number;
}

export interface Fault {
  /** As in the summary. */
  readonly name: string;
  /** The first one says when it is healed. */
  readonly breaks: readonly [Part, ...Part[]];
  readonly needs?: readonly Need[];
  /** How long it lasts at least, milliseconds; otherwise the schedule draws it. */
  readonly lasts?: { readonly short: number; readonly long: number };
  /** Resolves when it is there, with what heals it. Healing may wait for what was broken to serve again. */
  inject(stage: Stage): Promise<() => Promise<void>>;
}

/** One of some, by the seed. */
export function oneOf<T>({ random }: Pick<Stage, 'random'>, choices: readonly T[]): T {
  const choice = choices[Math.floor(random() * choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
}
