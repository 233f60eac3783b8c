import { BEGINNING, type Cursor } from './log-store.js';
import type { LeaseFactory, NodeLease } from './node-lease.js';
import { elapsed, newClock, type ProcessClock, read, type Reading } from './process-clock.js';
import type { Rules } from './rules.js';
import { type Answer, openStream, type WatchStream } from './watch-stream.js';

/** A decision between its two checks. `passed`: what the first check said. */
interface Decision {
  readonly rev: number;
  readonly passed: boolean;
}

/** An introspection under way: m0, then what the instance found out step by step. */
interface Call {
  readonly instance: number;
  readonly rev: number;
  readonly m0: Reading;
  step: 'sent' | 'read' | 'answered';
  alive: boolean;
  age: number;
}

/** A process that runs the SDK. */
export interface ApiNode {
  clock: ProcessClock;
  lease: NodeLease;
  denied: number[];
  cursor: Cursor;
  stream: WatchStream | null;
  /** The stream before, still delivering, for the mutation that listens to it. */
  oldStream: WatchStream | null;
  streams: number;
  lastRenewal: number;
  decision: Decision | null;
  call: Call | null;
  /** The last introspection's answer: a lease for one session. */
  held: { readonly rev: number; readonly m0: Reading; readonly until: number } | null;
}

export const newNode = (bound: number, rules: Rules, lease: LeaseFactory): ApiNode => ({
  clock: newClock(),
  lease: lease(bound, rules),
  denied: [],
  cursor: BEGINNING,
  stream: null,
  oldStream: null,
  streams: 0,
  lastRenewal: 0,
  decision: null,
  call: null,
  held: null,
});

export function connect(node: ApiNode, instance: number, rules: Rules): void {
  node.oldStream = rules.oldStream === 'taken' ? node.stream : null;
  node.stream = openStream(++node.streams, instance, node.cursor);
  node.lastRenewal = 0;
  node.lease.connected();
}

export function sendRenewal(node: ApiNode): void {
  const id = ++node.lastRenewal;
  node.lease.sent(id, read(node.clock));
  if (!node.stream?.broken) node.stream?.requests.push({ kind: 'renew', id });
}

export function receive(node: ApiNode, answer: Answer): void {
  if (answer.kind === 'revocation') {
    if (!node.denied.includes(answer.rev)) node.denied.push(answer.rev);
    return;
  }
  node.cursor = answer.cursor;
  node.lease.answered(answer.id, read(node.clock));
}

/** A new process: it has no deny-list, so it asks for everything. */
export function restart(node: ApiNode, bound: number, rules: Rules, lease: LeaseFactory): void {
  const { cursor, streams } = node;
  Object.assign(node, newNode(bound, rules, lease), { streams });
  if (rules.restart === 'keeps-cursor') node.cursor = cursor;
}

/** The clocks as they will stand when `ahead` ticks have passed and nothing else has happened. */
function readAhead(clock: ProcessClock, ahead: number): Reading {
  return { monotonic: clock.monotonic + ahead, wall: clock.wall + ahead };
}

function leaseHolds(node: ApiNode, rev: number, rules: Rules, ahead: number): boolean {
  const now = readAhead(node.clock, ahead);
  if (node.lease.isFresh(now)) return true;
  return node.held?.rev === rev && elapsed(rules.elapsed, node.held.m0, now) < node.held.until;
}

/** What a decision that is taken in one instant, `ahead` ticks from now, will be. */
export const wouldAccept = (node: ApiNode, rev: number, rules: Rules, ahead: number): boolean =>
  !node.denied.includes(rev) && leaseHolds(node, rev, rules, ahead);

/** First check of a decision; the process may be paused before the second. */
export function beginDecision(node: ApiNode, rev: number, rules: Rules): void {
  const passed =
    rules.checkOrder === 'lease-last' ? !node.denied.includes(rev) : leaseHolds(node, rev, rules, 0);
  node.decision = { rev, passed };
}

/** Whether the second check, made `ahead` ticks from now, will accept the session. */
export function wouldDecide(node: ApiNode, rev: number, rules: Rules, ahead: number): boolean {
  if (node.decision?.rev !== rev || !node.decision.passed) return false;
  return rules.checkOrder === 'lease-last' ? leaseHolds(node, rev, rules, ahead) : !node.denied.includes(rev);
}

export function receiveIntrospection(node: ApiNode, bound: number, rules: Rules): void {
  const { call } = node;
  node.call = null;
  if (call === null || !call.alive) return;
  const until = rules.introspectionAge === 'subtracted' ? bound - call.age : bound;
  node.held = { rev: call.rev, m0: call.m0, until };
}
