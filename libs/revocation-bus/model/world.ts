import { type ApiNode, connect, newNode } from './api-node.js';
import { type Instance, newInstance, subscribe, type Subscribers } from './instance.js';
import { type LogStore, newStore } from './log-store.js';
import type { LeaseFactory } from './node-lease.js';
import type { ProcessClock } from './process-clock.js';
import type { Rules } from './rules.js';
import type { ActionKind, Scope } from './scope.js';

/** One revoke call, for one session of its own. */
export interface Revocation {
  state: 'open' | 'committed' | 'returned' | 'lost';
  readonly server: number;
  /** True time at which the call returned. */
  returnedAt: number;
}

/** The whole state: plain data but for the leases. */
export interface World {
  /** True time. No process can read it. */
  time: number;
  store: LogStore;
  revocations: Revocation[];
  instances: Instance[];
  nodes: ApiNode[];
  /** What is left of the scope's budget. */
  left: Partial<Record<ActionKind, number>>;
}

export interface Setup {
  readonly rules: Rules;
  readonly scope: Scope;
  readonly lease: LeaseFactory;
}

/** G2 broken: a session accepted later than B after its revoke call had returned. */
export interface Violation {
  readonly node: number;
  readonly rev: number;
  readonly returnedAt: number;
  readonly acceptedAt: number;
  /** Ticks that pass after the last action until then. */
  readonly ahead: number;
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

export function newWorld({ rules, scope, lease }: Setup): World {
  const instances = times(scope.instances, () => newInstance(rules));
  const nodes = times(scope.nodes, () => newNode(scope.bound, rules, lease));
  const world = { time: 0, store: newStore(), revocations: [], instances, nodes, left: { ...scope.budget } };
  if (scope.connected) for (const node of nodes) greet(world, node, rules);
  return world;
}

function greet(world: World, node: ApiNode, rules: Rules): void {
  connect(node, 0, rules);
  if (node.stream === null) return;
  node.stream.requests = [];
  subscribe(instanceAt(world, 0), node.stream, node.cursor, rules);
}

export function nodeAt(world: World, index: number): ApiNode {
  const node = world.nodes[index];
  if (node === undefined) throw new Error(`no node ${index}`);
  return node;
}

export function instanceAt(world: World, index: number): Instance {
  const instance = world.instances[index];
  if (instance === undefined) throw new Error(`no instance ${index}`);
  return instance;
}

export function revocationAt(world: World, index: number): Revocation {
  const revocation = world.revocations[index];
  if (revocation === undefined) throw new Error(`no revocation ${index}`);
  return revocation;
}

/** Processes are numbered: the nodes, then the instances. */
export const clocksOf = (world: World): ProcessClock[] =>
  [...world.nodes, ...world.instances].map((process) => process.clock);

export function clockAt(world: World, index: number): ProcessClock {
  const clock = clocksOf(world)[index];
  if (clock === undefined) throw new Error(`no process ${index}`);
  return clock;
}

export const subscribersOf = (world: World, instance: number): Subscribers =>
  world.nodes.flatMap((node, index) =>
    [node.stream, node.oldStream].flatMap((stream) =>
      stream !== null && !stream.broken && stream.subscribed && stream.instance === instance
        ? [{ node: index, stream }]
        : [],
    ),
  );
