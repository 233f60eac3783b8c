import {
  beginDecision,
  connect,
  receive,
  receiveIntrospection,
  restart,
  sendRenewal,
  wouldAccept,
  wouldDecide,
} from './api-node.js';
import { CALL_STRIDE } from './enabled.js';
import {
  barrierAge,
  beginBarrier,
  connectTo,
  loseConnection,
  newInstance,
  queueFound,
  readLog,
  receiveRenewal,
  subscribe,
  writeBarrier,
} from './instance.js';
import { abortOne, beginAppend, commitAppend, crash, failOver, primaryOf, serverAt } from './log-store.js';
import { advance, read } from './process-clock.js';
import type { Action, ActionKind } from './scope.js';
import { cut } from './watch-stream.js';
import {
  clockAt,
  clocksOf,
  instanceAt,
  nodeAt,
  revocationAt,
  type Setup,
  subscribersOf,
  type Violation,
  type World,
} from './world.js';

type Step = (world: World, setup: Setup, who: number, what: number) => void;

/** Does one enabled action. @returns the violation of G2 that it leads to, if any. */
export function applyAction(world: World, setup: Setup, action: Action): Violation | null {
  const left = world.left[action.kind];
  if (left !== undefined) world.left[action.kind] = left - 1;
  STEPS[action.kind](world, setup, action.who, action.what);
  for (let rev = 0; rev < world.revocations.length; rev++) {
    const violation = lateAcceptance(world, setup, rev);
    if (violation !== null) return violation;
  }
  return null;
}

/**
 * The oracle, on true time. It asks every node what it would decide at this instant or, if B is not over yet, at the first
 * instant after it, every message and every process but this one being late until then. That is one of the schedules that may
 * follow; to ask at once finds it without waiting for chance.
 */
function lateAcceptance(world: World, { rules, scope }: Setup, rev: number): Violation | null {
  const { state, returnedAt } = revocationAt(world, rev);
  if (state !== 'returned') return null;
  const ahead = Math.max(0, returnedAt + scope.bound + 1 - world.time);
  for (let index = 0; index < world.nodes.length; index++) {
    const node = nodeAt(world, index);
    if (node.clock.asleep) continue;
    const accepts = wouldAccept(node, rev, rules, ahead) || wouldDecide(node, rev, rules, ahead);
    if (accepts) return { node: index, rev, returnedAt, acceptedAt: world.time + ahead, ahead };
  }
  return null;
}

const STORE_STEPS = {
  tick: (world, _setup, _who, ticks) => {
    world.time += ticks;
    for (const clock of clocksOf(world)) advance(clock, ticks);
  },
  revoke: (world, _setup, server, rev) => {
    beginAppend(serverAt(world.store, server), rev);
    world.revocations.push({ state: 'open', server, returnedAt: 0 });
  },
  commit: (world, _setup, server, rev) => {
    const committed = commitAppend(serverAt(world.store, server), rev);
    revocationAt(world, rev).state = committed ? 'committed' : 'lost';
  },
  return: (world, _setup, _server, rev) => {
    Object.assign(revocationAt(world, rev), { state: 'returned', returnedAt: world.time });
  },
  abort: (world, _setup, server) => abortOne(serverAt(world.store, server)),
  'fail-over': (world) => failOver(world.store),
  'crash-store': (world) => {
    const primary = primaryOf(world.store);
    crash(serverAt(world.store, primary));
    for (const instance of world.instances) if (instance.server === primary) loseConnection(instance);
    for (const revocation of world.revocations)
      if (revocation.state === 'open' && revocation.server === primary) revocation.state = 'lost';
  },
} satisfies Partial<Record<ActionKind, Step>>;

const INSTANCE_STEPS = {
  'reconnect-store': (world, { rules }, who, server) =>
    connectTo(instanceAt(world, who), server, world.store, rules),
  'begin-barrier': (world, _setup, who) => beginBarrier(instanceAt(world, who)),
  'write-barrier': (world, { rules }, who) => writeBarrier(instanceAt(world, who), world.store, rules),
  'read-barrier': (world, { rules }, who, server) =>
    readLog(instanceAt(world, who), 0, server, world.store, rules),
  poll: (world, { rules }, who) => {
    const instance = instanceAt(world, who);
    if (instance.server !== null)
      readLog(instance, instance.readers.length - 1, instance.server, world.store, rules);
  },
  queue: (world, { rules }, who, reader) =>
    queueFound(instanceAt(world, who), reader, subscribersOf(world, who), rules),
  'restart-instance': (world, { rules }, who) => {
    world.instances[who] = { ...newInstance(rules), clock: instanceAt(world, who).clock };
    for (const node of world.nodes) {
      if (node.stream?.instance === who) cut(node.stream);
      if (node.oldStream?.instance === who) cut(node.oldStream);
      if (node.call?.instance === who && node.call.step !== 'answered') node.call = null;
    }
  },
  attach: (world, _setup, who) => Object.assign(nodeAt(world, who).stream ?? {}, { live: true }),
  'deliver-request': (world, { rules }, who) => {
    const { stream } = nodeAt(world, who);
    const request = stream?.requests.shift();
    if (!stream || !request) return;
    const instance = instanceAt(world, stream.instance);
    if (request.kind === 'hello') subscribe(instance, stream, request.cursor, rules);
    else receiveRenewal(instance, { stream: { node: who, serial: stream.serial }, id: request.id }, rules);
  },
} satisfies Partial<Record<ActionKind, Step>>;

const NODE_STEPS = {
  connect: (world, { rules }, who, instance) => connect(nodeAt(world, who), instance, rules),
  cut: (world, _setup, who) => {
    const { stream } = nodeAt(world, who);
    if (stream) cut(stream);
  },
  'deliver-answer': (world, _setup, who) => {
    const node = nodeAt(world, who);
    const answer = node.stream?.answers.shift();
    if (answer) receive(node, answer);
  },
  'deliver-old-answer': (world, _setup, who) => {
    const node = nodeAt(world, who);
    const answer = node.oldStream?.answers.shift();
    if (answer) receive(node, answer);
  },
  renew: (world, _setup, who) => sendRenewal(nodeAt(world, who)),
  'restart-node': (world, { rules, scope, lease }, who) =>
    restart(nodeAt(world, who), scope.bound, rules, lease),
  check: (world, { rules }, who, rev) => beginDecision(nodeAt(world, who), rev, rules),
  decide: (world, _setup, who) => {
    nodeAt(world, who).decision = null;
  },
} satisfies Partial<Record<ActionKind, Step>>;

const INTROSPECTION_STEPS = {
  introspect: (world, _setup, who, what) => {
    const node = nodeAt(world, who);
    const instance = Math.floor(what / CALL_STRIDE);
    node.call = {
      instance,
      rev: what % CALL_STRIDE,
      m0: read(node.clock),
      step: 'sent',
      alive: false,
      age: 0,
    };
  },
  'introspection-read': (world, { rules }, who, server) => {
    const { call } = nodeAt(world, who);
    if (!call) return;
    const { denied } = instanceAt(world, call.instance);
    call.alive = !serverAt(world.store, server).rows.some((row) => row.rev === call.rev);
    if (rules.introspectionOrder === 'deny-list-before-read') call.alive &&= !denied.includes(call.rev);
    call.step = 'read';
  },
  'introspection-answer': (world, { rules }, who) => {
    const { call } = nodeAt(world, who);
    if (!call) return;
    const instance = instanceAt(world, call.instance);
    const asksNow =
      rules.introspectionDenyList === 'own' && rules.introspectionOrder === 'deny-list-with-age';
    if (asksNow) call.alive &&= !instance.denied.includes(call.rev);
    call.age = barrierAge(instance, rules);
    call.alive &&= Number.isFinite(call.age);
    call.step = 'answered';
  },
  'introspection-receive': (world, { rules, scope }, who) =>
    receiveIntrospection(nodeAt(world, who), scope.bound, rules),
} satisfies Partial<Record<ActionKind, Step>>;

const CLOCK_STEPS = {
  sleep: (world, _setup, who) => Object.assign(clockAt(world, who), { asleep: true, hasSlept: true }),
  wake: (world, _setup, who) => Object.assign(clockAt(world, who), { asleep: false }),
  'step-wall': (world, _setup, who, by) => {
    const clock = clockAt(world, who);
    clock.wall += by;
    if (by < 0) clock.wasSetBack = true;
  },
} satisfies Partial<Record<ActionKind, Step>>;

const STEPS: Record<ActionKind, Step> = {
  ...STORE_STEPS,
  ...INSTANCE_STEPS,
  ...NODE_STEPS,
  ...INTROSPECTION_STEPS,
  ...CLOCK_STEPS,
};
