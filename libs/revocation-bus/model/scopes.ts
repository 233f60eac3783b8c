import type { Scope } from './scope.js';

const NO_CLOCK_FAULTS = { sleep: 0, 'step-wall': 0 };
const NO_STORE_FAULTS = { 'fail-over': 0, 'crash-store': 0, 'reconnect-store': 0, abort: 0 };
const NO_RESTARTS = { 'restart-node': 0, 'restart-instance': 0 };
const NO_INTROSPECTION = { introspect: 0 };
const SMALL = { nodes: 1, instances: 2, revocations: 3, bound: 10, ticks: [1, 3], wallSteps: [] };

const STORE: Scope = {
  ...SMALL,
  instances: 1,
  budget: {
    ...NO_CLOCK_FAULTS,
    ...NO_RESTARTS,
    ...NO_INTROSPECTION,
    'fail-over': 1,
    'crash-store': 1,
    abort: 30,
  },
  weights: { abort: 1.5, 'crash-store': 0.3, 'fail-over': 0.3, 'reconnect-store': 2 },
};

/** The same with few reconnects: what goes wrong here takes two barriers with a fault in between. */
const STEADY: Scope = {
  ...STORE,
  connected: true,
  revocations: 2,
  budget: { ...STORE.budget, cut: 1, connect: 1, check: 0, poll: 3, 'reconnect-store': 4 },
  weights: { ...STORE.weights, revoke: 0.5, abort: 2 },
};

/** Worlds for the random search. A small one finds a fault of its own kind soon; `everything` mixes them all. */
export const SCOPES = {
  everything: {
    nodes: 2,
    instances: 2,
    revocations: 4,
    bound: 10,
    ticks: [1, 2, 5, 11],
    wallSteps: [-30, -9, 4, 30],
    idleBarriers: true,
    budget: {
      'fail-over': 1,
      'crash-store': 1,
      abort: 20,
      'step-wall': 4,
      sleep: 4,
      'restart-node': 1,
      'restart-instance': 1,
    },
  },
  /** Commits, reads, barriers and streams in any order. */
  commits: {
    ...SMALL,
    budget: {
      ...NO_CLOCK_FAULTS,
      ...NO_STORE_FAULTS,
      ...NO_INTROSPECTION,
      'restart-node': 1,
      'restart-instance': 0,
    },
  },
  /** The store crashes or fails over, and the instance may stay with a deposed primary. */
  store: STORE,
  crashes: { ...STEADY, budget: { ...STEADY.budget, 'fail-over': 0, 'crash-store': 1 } },
  failovers: { ...STEADY, budget: { ...STEADY.budget, 'fail-over': 1, 'crash-store': 0 } },
  /** Clocks step and stand still. */
  clocks: {
    ...SMALL,
    instances: 1,
    revocations: 1,
    ticks: [1, 2, 5],
    wallSteps: [-30, -9, 4, 30],
    budget: {
      ...NO_STORE_FAULTS,
      ...NO_RESTARTS,
      ...NO_INTROSPECTION,
      cut: 1,
      connect: 2,
      sleep: 4,
      'step-wall': 4,
    },
    weights: { sleep: 0.6, 'step-wall': 0.3 },
  },
  /** A node that asks for each session. */
  introspection: {
    ...SMALL,
    instances: 1,
    revocations: 1,
    idleBarriers: true,
    budget: { ...NO_RESTARTS, 'crash-store': 0, abort: 0, 'fail-over': 1, sleep: 1, 'step-wall': 0 },
    weights: {
      connect: 0.1,
      introspect: 4,
      'introspection-read': 3,
      'introspection-answer': 3,
      'introspection-receive': 3,
    },
  },
} as const satisfies Record<string, Scope>;

export type ScopeName = keyof typeof SCOPES;

const NOTHING = {
  tick: 1,
  ...NO_STORE_FAULTS,
  ...NO_CLOCK_FAULTS,
  ...NO_RESTARTS,
  ...NO_INTROSPECTION,
  poll: 0,
  connect: 0,
  cut: 0,
  check: 0,
};
const TINY = {
  nodes: 1,
  instances: 1,
  revocations: 1,
  bound: 2,
  ticks: [2],
  wallSteps: [],
  connected: true,
};

/** Worlds so small that every schedule can be tried. */
export const TINY_SCOPES: Readonly<Record<string, Scope>> = {
  'two revocations, one renewal': { ...TINY, revocations: 2, budget: { ...NOTHING, renew: 1, poll: 1 } },
  'two renewals': { ...TINY, budget: { ...NOTHING, renew: 2, poll: 1 } },
  'two streams': { ...TINY, budget: { ...NOTHING, renew: 2, connect: 1 } },
  'a failover': { ...TINY, budget: { ...NOTHING, renew: 2, 'fail-over': 1, 'reconnect-store': 1 } },
  'a decision in two steps': { ...TINY, budget: { ...NOTHING, renew: 1, check: 1 } },
  clocks: {
    ...TINY,
    bound: 4,
    ticks: [3],
    wallSteps: [-7],
    budget: { ...NOTHING, tick: 2, renew: 1, sleep: 1, 'step-wall': 1 },
  },
  introspection: {
    ...TINY,
    connected: false,
    idleBarriers: true,
    budget: { ...NOTHING, introspect: 1, 'begin-barrier': 1, 'fail-over': 1, 'reconnect-store': 1 },
  },
};

/** Larger ones, for a search that may take minutes. */
export const LARGER_TINY_SCOPES: Readonly<Record<string, Scope>> = {
  'two revocations, two renewals': { ...TINY, revocations: 2, budget: { ...NOTHING, renew: 2, poll: 1 } },
  'two revocations, two streams': { ...TINY, revocations: 2, budget: { ...NOTHING, renew: 2, connect: 1 } },
  'two instances': { ...TINY, instances: 2, budget: { ...NOTHING, renew: 2, connect: 1, poll: 1 } },
  'two nodes': { ...TINY, nodes: 2, budget: { ...NOTHING, renew: 2, poll: 1 } },
  'a crash': {
    ...TINY,
    budget: { ...NOTHING, renew: 2, 'crash-store': 1, 'reconnect-store': 1, abort: 1 },
  },
  'a restarted node': { ...TINY, budget: { ...NOTHING, renew: 2, connect: 1, 'restart-node': 1 } },
  'clocks, with a step forward': {
    ...TINY,
    bound: 4,
    ticks: [1, 3],
    wallSteps: [-7, 7],
    budget: { ...NOTHING, tick: 2, renew: 1, sleep: 1, 'step-wall': 1 },
  },
};
