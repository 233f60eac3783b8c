import { readerAt } from './instance.js';
import { primaryOf } from './log-store.js';
import type { Action, ActionKind } from './scope.js';
import { clocksOf, instanceAt, nodeAt, type Setup, type World } from './world.js';

type Offer = (kind: ActionKind, who?: number, what?: number) => void;

/** How `introspect` packs an instance and a session into one number. */
export const CALL_STRIDE = 16;

/** Everything that can happen next: time, the store, each process and the network, in any order. */
export function enabledActions(world: World, setup: Setup): Action[] {
  const actions: Action[] = [];
  const offer: Offer = (kind, who = 0, what = 0) => {
    if ((world.left[kind] ?? 1) > 0) actions.push({ kind, who, what });
  };
  for (const ticks of setup.scope.ticks) offer('tick', 0, ticks);
  offerStore(world, setup, offer);
  world.instances.forEach((_, index) => offerInstance(world, setup, index, offer));
  world.nodes.forEach((_, index) => offerNode(world, setup, index, offer));
  offerClocks(world, setup, offer);
  return actions;
}

function offerStore(world: World, { rules, scope }: Setup, offer: Offer): void {
  const primary = primaryOf(world.store);
  world.store.forEach((_, server) => {
    if (world.revocations.length < scope.revocations) offer('revoke', server, world.revocations.length);
    offer('abort', server);
  });
  world.revocations.forEach(({ state, server }, rev) => {
    if (state === 'open' && (server === primary || rules.warnedAppend === 'acknowledged'))
      offer('commit', server, rev);
    if (state === 'committed') offer('return', server, rev);
  });
  offer('fail-over');
  offer('crash-store');
}

function offerInstance(world: World, setup: Setup, index: number, offer: Offer): void {
  const instance = instanceAt(world, index);
  if (instance.clock.asleep) return;
  offer('restart-instance', index);
  world.store.forEach((_, server) => {
    if (instance.server !== server) offer('reconnect-store', index, server);
  });
  instance.readers.forEach(({ step }, reader) => {
    if (step === 'read') offer('queue', index, reader);
  });
  if (instance.server === null) return;
  offerBarrier(world, setup, index, offer);
  if (readerAt(instance, instance.readers.length - 1).step === 'idle') offer('poll', index);
}

function offerBarrier(world: World, { rules, scope }: Setup, index: number, offer: Offer): void {
  const instance = instanceAt(world, index);
  const { step } = readerAt(instance, 0);
  if (step === 'idle' && (scope.idleBarriers || instance.waiting.length > 0)) offer('begin-barrier', index);
  const [writeAt, readAt] = rules.barrierOrder === 'write-then-read' ? ['begun', 'half'] : ['half', 'begun'];
  if (step === writeAt) offer('write-barrier', index);
  if (step !== readAt || instance.server === null) return;
  if (rules.barrierRead === 'any-server')
    world.store.forEach((_, server) => offer('read-barrier', index, server));
  else offer('read-barrier', index, instance.server);
}

function offerNode(world: World, setup: Setup, index: number, offer: Offer): void {
  const node = nodeAt(world, index);
  offerNetwork(world, index, offer);
  if (node.clock.asleep) return;
  if (node.decision !== null) {
    offer('decide', index);
    if (setup.rules.decision === 'one-step') return;
  } else world.revocations.forEach((_, rev) => offer('check', index, rev));
  offer('restart-node', index);
  world.instances.forEach((_, instance) => {
    offer('connect', index, instance);
    if (node.call === null)
      world.revocations.forEach((_, rev) => offer('introspect', index, instance * CALL_STRIDE + rev));
  });
  if (node.stream !== null) offer('renew', index);
  if (node.stream !== null && node.stream.answers.length > 0) offer('deliver-answer', index);
  if (node.oldStream !== null && node.oldStream.answers.length > 0) offer('deliver-old-answer', index);
  if (node.call?.step === 'answered') offer('introspection-receive', index);
}

function offerNetwork(world: World, index: number, offer: Offer): void {
  const { stream, call } = nodeAt(world, index);
  if (stream !== null && !stream.broken) {
    offer('cut', index);
    const asleep = instanceAt(world, stream.instance).clock.asleep;
    if (stream.requests.length > 0 && !asleep) offer('deliver-request', index);
    if (stream.subscribed && !stream.live && !asleep) offer('attach', index);
  }
  if (call === null) return;
  const instance = instanceAt(world, call.instance);
  if (instance.clock.asleep) return;
  if (call.step === 'sent') world.store.forEach((_, server) => offer('introspection-read', index, server));
  if (call.step === 'read') offer('introspection-answer', index);
}

function offerClocks(world: World, { scope }: Setup, offer: Offer): void {
  clocksOf(world).forEach((clock, process) => {
    if (clock.asleep) offer('wake', process);
    else if (scope.bothClocksFail || !clock.wasSetBack) offer('sleep', process);
    for (const step of scope.wallSteps)
      if (step > 0 || (!clock.asleep && (scope.bothClocksFail || !clock.hasSlept)))
        offer('step-wall', process, step);
  });
}
