import type { Rules } from './rules.js';

/** One committed (or still open) revocation. `rev` stands for the event id and for the one session that it ends. */
export interface Row {
  readonly rev: number;
  readonly xid: number;
  readonly position: number;
}

/** A PostgreSQL server. One that was deposed answers reads for ever, from what it had. */
export interface Server {
  readonly timeline: number;
  nextXid: number;
  /** Highest transaction that ended. */
  completed: number;
  /** Highest transaction that is known to survive a crash and a failover. */
  durable: number;
  nextPosition: number;
  open: Row[];
  rows: Row[];
}

/** The log store: the last server is the primary, those before it are deposed (a stale standby behaves like one of them). */
export type LogStore = Server[];

/** What had been committed at some instant. `top` is the highest position seen, for the mutations that use it. */
export interface Cursor {
  readonly timeline: number;
  readonly xmax: number;
  readonly xip: readonly number[];
  readonly top: number;
}

export const BEGINNING: Cursor = { timeline: 0, xmax: 0, xip: [], top: 0 };

export const newStore = (): LogStore => [
  { timeline: 1, nextXid: 1, completed: 0, durable: 0, nextPosition: 1, open: [], rows: [] },
];

export const primaryOf = (store: LogStore): number => store.length - 1;

export function serverAt(store: LogStore, index: number): Server {
  const server = store[index];
  if (server === undefined) throw new Error(`no server ${index}`);
  return server;
}

/** Takes transaction id and position in one statement; the commit may come much later. */
export function beginAppend(server: Server, rev: number): void {
  server.open.push({ rev, xid: server.nextXid++, position: server.nextPosition++ });
}

/** @returns false if the server had no such transaction (it went with a crash). */
export function commitAppend(server: Server, rev: number): boolean {
  const row = server.open.find((open) => open.rev === rev);
  if (row === undefined) return false;
  server.open = server.open.filter((open) => open !== row);
  server.rows.push(row);
  endTransaction(server, row.xid);
  server.durable = Math.max(server.durable, row.xid);
  return true;
}

/** A transaction that wrote nothing but a barrier: begun and committed. @returns its id. */
export function commitBarrier(server: Server): number {
  const xid = server.nextXid++;
  endTransaction(server, xid);
  server.durable = Math.max(server.durable, xid);
  return xid;
}

/** A transaction that took an id and was rolled back. */
export function abortOne(server: Server): void {
  endTransaction(server, server.nextXid++);
}

function endTransaction(server: Server, xid: number): void {
  server.completed = Math.max(server.completed, xid);
}

/** The server is killed and recovers: open transactions are gone, ids that were not durable are given out again. */
export function crash(server: Server): void {
  server.open = [];
  server.nextXid = server.durable + 1;
  server.completed = server.durable;
}

/** A synchronous standby takes over: it has every acknowledged commit and nothing else. The old server knows nothing of it. */
export function failOver(store: LogStore): void {
  const old = serverAt(store, primaryOf(store));
  const promoted: Server = { ...old, timeline: old.timeline + 1, rows: [...old.rows] };
  crash(promoted);
  store.push(promoted);
}

export interface ReadResult {
  rows: Row[];
  cursor: Cursor;
}

/** One statement: every committed row that `after` does not show, and the statement's own snapshot as the next cursor. */
export function readAfter(server: Server, after: Cursor, rules: Rules): ReadResult {
  const xmax = server.completed + 1;
  const xip = server.open.map((row) => row.xid).filter((xid) => xid < xmax);
  const horizon = Math.min(xmax, ...xip);
  const mayShow = (row: Row): boolean => rules.visibility === 'committed' || row.xid < horizon;
  const start =
    rules.timelineChange === 'start-over' && after.timeline !== server.timeline ? BEGINNING : after;
  const rows = server.rows.filter((row) => mayShow(row) && !shows(start, row, rules.followerCursor));
  const top = Math.max(start.top, ...rows.map((row) => row.position));
  const bound = rules.visibility === 'committed' ? { xmax, xip } : { xmax: horizon, xip: [] };
  return { rows, cursor: { timeline: server.timeline, ...bound, top } };
}

/** Whether a read that ended at `cursor` had shown the row. */
export function shows(cursor: Cursor, row: Row, rule: Rules['resumeCursor']): boolean {
  if (rule === 'highest-position') return row.position <= cursor.top;
  return row.xid < cursor.xmax && !cursor.xip.includes(row.xid);
}

/** The cursor cut down to what the barrier's own commit made certain. */
export function boundedBy(cursor: Cursor, barrierXid: number, rules: Rules): Cursor {
  if (rules.snapshotBound === 'none') return cursor;
  const xmax = Math.min(cursor.xmax, barrierXid + 1);
  return { ...cursor, xmax, xip: cursor.xip.filter((xid) => xid < xmax) };
}
