import type { Rules } from './rules.js';
import type { ScopeName } from './scopes.js';

/** One rule broken on purpose. */
export interface Mutation {
  readonly name: string;
  readonly breaks: Partial<Rules>;
  /** The world in which the search looks for it. */
  readonly scope: ScopeName;
}

/** The mistakes that issue 3 names, then others of the same kind. The model must find each. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'highest position as the cursor',
    breaks: { followerCursor: 'highest-position' },
    scope: 'commits',
  },
  {
    name: 'highest position as the resume point',
    breaks: { resumeCursor: 'highest-position' },
    scope: 'commits',
  },
  {
    name: 'deduplication marked at read, with two readers',
    breaks: { readers: 'two', dedup: 'at-read' },
    scope: 'commits',
  },
  {
    name: 'a renewal joins a barrier already begun',
    breaks: { joining: 'barrier-under-way' },
    scope: 'commits',
  },
  { name: 'an answer matched to the latest m0', breaks: { leaseFrom: 'latest-m0' }, scope: 'clocks' },
  { name: 'a read in place of the barrier write', breaks: { barrier: 'read' }, scope: 'store' },
  { name: 'a threshold on clock divergence', breaks: { elapsed: 'threshold' }, scope: 'clocks' },

  { name: 'only the monotonic clock', breaks: { elapsed: 'monotonic-only' }, scope: 'clocks' },
  { name: 'only the wall clock', breaks: { elapsed: 'wall-only' }, scope: 'clocks' },
  {
    name: 'the lease counted from the receipt of the answer',
    breaks: { leaseFrom: 'receipt' },
    scope: 'clocks',
  },
  { name: 'a late answer of the stream before', breaks: { oldStream: 'taken' }, scope: 'commits' },
  { name: 'the lease checked before the deny-list', breaks: { checkOrder: 'lease-first' }, scope: 'commits' },
  {
    name: 'checks before an await are trusted after it',
    breaks: { decision: 'over-an-await' },
    scope: 'commits',
  },
  {
    name: 'renewed queued ahead of what its read showed',
    breaks: { renewed: 'ahead-of-its-read' },
    scope: 'commits',
  },
  {
    name: 'a subscriber attached some time after its replay',
    breaks: { attach: 'after-replay' },
    scope: 'commits',
  },
  { name: 'the follower reads below the horizon', breaks: { visibility: 'below-horizon' }, scope: 'commits' },
  {
    name: 'the barrier is read on another connection',
    breaks: { barrierRead: 'any-server' },
    scope: 'store',
  },
  {
    name: 'a barrier with the cancelled-wait warning counts',
    breaks: { warnedBarrier: 'acknowledged' },
    scope: 'store',
  },
  {
    name: 'an append with the cancelled-wait warning returns',
    breaks: { warnedAppend: 'acknowledged' },
    scope: 'store',
  },
  {
    name: 'a cursor vouches for transactions beyond its barrier',
    breaks: { snapshotBound: 'none' },
    scope: 'crashes',
  },
  {
    name: 'an unbounded cursor outlives a change of timeline',
    breaks: { snapshotBound: 'none', timelineChange: 'keep-cursor' },
    scope: 'failovers',
  },
  { name: 'a restarted node keeps its cursor', breaks: { restart: 'keeps-cursor' }, scope: 'commits' },
  {
    name: 'introspection without the deny-list',
    breaks: { introspectionDenyList: 'none' },
    scope: 'introspection',
  },
  {
    name: 'introspection holds for the whole bound',
    breaks: { introspectionAge: 'ignored' },
    scope: 'introspection',
  },
  {
    name: 'introspection asks the deny-list before the read',
    breaks: { introspectionOrder: 'deny-list-before-read' },
    scope: 'introspection',
  },
  {
    name: 'introspection reports the age of a barrier not yet applied',
    breaks: { introspectionBarrier: 'written' },
    scope: 'introspection',
  },
];
