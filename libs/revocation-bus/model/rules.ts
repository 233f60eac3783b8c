/**
 * The rules of DESIGN §6 "The lease", each one switchable. The first value of every union is the design's; every other value is
 * a mistake that somebody could make, and `mutations.ts` makes each of them once.
 */
export interface Rules {
  /** Where the follower's next read begins. */
  followerCursor: 'snapshot' | 'highest-position';
  /** Where a node that reconnects resumes. */
  resumeCursor: 'snapshot' | 'highest-position';
  /**
   * A snapshot vouches only for transactions up to the barrier's own: later ids may never have become durable, and a crashed or
   * promoted server gives them out again (seen on PostgreSQL 18: after `kill -9` the ids of aborted transactions return, on
   * the same timeline).
   */
  snapshotBound: 'barrier-transaction' | 'none';
  /** What a cursor of another timeline is worth. */
  timelineChange: 'start-over' | 'keep-cursor';
  /** What a read may show: every committed row, or only those below the oldest open transaction. */
  visibility: 'committed' | 'below-horizon';
  readers: 'one' | 'two';
  /** When a row counts as seen. */
  dedup: 'at-queue' | 'at-read';
  /** Where a renewal goes that arrives while a barrier is under way. */
  joining: 'next-barrier' | 'barrier-under-way';
  barrier: 'write' | 'read';
  barrierOrder: 'write-then-read' | 'read-then-write';
  /** The server that the barrier's read goes to. */
  barrierRead: 'same-connection' | 'any-server';
  /** A commit with the warning that waiting for the standby was cancelled. */
  warnedBarrier: 'not-acknowledged' | 'acknowledged';
  warnedAppend: 'not-acknowledged' | 'acknowledged';
  /** Where `renewed` stands in the stream. */
  renewed: 'behind-its-read' | 'ahead-of-its-read';
  /** When a new subscriber gets live rows: in the step that queues the replay, or some time after. */
  attach: 'with-replay' | 'after-replay';
  /** What starts the lease when `renewed` arrives. */
  leaseFrom: 'm0-of-the-id' | 'latest-m0' | 'receipt';
  /** Messages of a stream that the node has left (ids begin anew in each stream). */
  oldStream: 'ignored' | 'taken';
  /** Time since m0, from the two clocks of a process. */
  elapsed: 'greater-of-both' | 'threshold' | 'monotonic-only' | 'wall-only';
  /** The order of the two checks of one decision. */
  checkOrder: 'lease-last' | 'lease-first';
  /** Whether messages can arrive between the checks. */
  decision: 'one-step' | 'over-an-await';
  /** What a node that restarts without its deny-list resumes from. */
  restart: 'forgets-cursor' | 'keeps-cursor';
  /** Whose memory introspection adds to the stream it read. */
  introspectionDenyList: 'own' | 'none';
  introspectionAge: 'subtracted' | 'ignored';
  /** When the deny-list is asked: together with the age, after the read; or before the read. */
  introspectionOrder: 'deny-list-with-age' | 'deny-list-before-read';
  /** The barrier whose age introspection reports: one whose rows are in the deny-list, or one just written. */
  introspectionBarrier: 'applied' | 'written';
}

export const DESIGN: Readonly<Rules> = {
  followerCursor: 'snapshot',
  resumeCursor: 'snapshot',
  snapshotBound: 'barrier-transaction',
  timelineChange: 'start-over',
  visibility: 'committed',
  readers: 'one',
  dedup: 'at-queue',
  joining: 'next-barrier',
  barrier: 'write',
  barrierOrder: 'write-then-read',
  barrierRead: 'same-connection',
  warnedBarrier: 'not-acknowledged',
  warnedAppend: 'not-acknowledged',
  renewed: 'behind-its-read',
  attach: 'with-replay',
  leaseFrom: 'm0-of-the-id',
  oldStream: 'ignored',
  elapsed: 'greater-of-both',
  checkOrder: 'lease-last',
  decision: 'one-step',
  restart: 'forgets-cursor',
  introspectionDenyList: 'own',
  introspectionAge: 'subtracted',
  introspectionOrder: 'deny-list-with-age',
  introspectionBarrier: 'applied',
};
