import {
  BEGINNING,
  boundedBy,
  commitBarrier,
  type Cursor,
  type LogStore,
  primaryOf,
  readAfter,
  type ReadResult,
  type Row,
  serverAt,
  shows,
} from './log-store.js';
import { elapsed, newClock, type ProcessClock, read, type Reading } from './process-clock.js';
import type { Rules } from './rules.js';
import type { WatchStream } from './watch-stream.js';

interface Renewal {
  readonly stream: { readonly node: number; readonly serial: number };
  readonly id: number;
}

/** A reader goes idle → (begun → half →) read → idle; anything may happen between two steps. `half`: one of write and read is done. */
export interface Reader {
  step: 'idle' | 'begun' | 'half' | 'read';
  /** Renewals that this barrier answers; null in a read without a barrier. */
  batch: Renewal[] | null;
  begunAt: Reading | null;
  barrierXid: number;
  found: ReadResult | null;
}

export interface Instance {
  clock: ProcessClock;
  /** The server its connection leads to; null when the connection is lost. */
  server: number | null;
  cursor: Cursor;
  /** The newest cursor that a barrier vouches for: where to go on after a lost connection. */
  safeCursor: Cursor;
  /** Rows queued to subscribers: what a resuming node is served from. */
  queued: Row[];
  /** For the mutation that marks at read. */
  markedAtRead: number[];
  denied: number[];
  waiting: Renewal[];
  readers: Reader[];
  /** When the barrier began whose age introspection reports. */
  lastBarrier: Reading | null;
}

const idle = (): Reader => ({ step: 'idle', batch: null, begunAt: null, barrierXid: 0, found: null });

export const newInstance = (rules: Rules): Instance => ({
  clock: newClock(),
  server: 0,
  cursor: BEGINNING,
  safeCursor: BEGINNING,
  queued: [],
  markedAtRead: [],
  denied: [],
  waiting: [],
  readers: rules.readers === 'one' ? [idle()] : [idle(), idle()],
  lastBarrier: null,
});

/** The streams that end at one instance, with the node of each. */
export type Subscribers = readonly { readonly node: number; readonly stream: WatchStream }[];

/** Barriers run on the first reader; reads without one run on the last, which by design is the same. */
export const readerAt = (instance: Instance, index: number): Reader => {
  const reader = instance.readers[index];
  if (reader === undefined) throw new Error(`no reader ${index}`);
  return reader;
};

/** Nobody is answered; a renewal that arrived before the barrier that failed has arrived before the next one too. */
export function loseConnection(instance: Instance): void {
  const unanswered = readerAt(instance, 0).batch ?? [];
  instance.waiting = [...unanswered, ...instance.waiting];
  instance.server = null;
  instance.readers = instance.readers.map(idle);
  instance.markedAtRead = instance.queued.map((row) => row.rev);
  instance.cursor = instance.safeCursor;
}

export function connectTo(instance: Instance, server: number, store: LogStore, rules: Rules): void {
  loseConnection(instance);
  instance.server = server;
  const { timeline } = serverAt(store, server);
  if (rules.timelineChange === 'keep-cursor' || instance.safeCursor.timeline === timeline) return;
  instance.cursor = BEGINNING;
  instance.safeCursor = BEGINNING;
  instance.queued = [];
}

export function receiveRenewal(instance: Instance, renewal: Renewal, rules: Rules): void {
  const underWay = readerAt(instance, 0).batch;
  if (rules.joining === 'barrier-under-way' && underWay !== null) underWay.push(renewal);
  else instance.waiting.push(renewal);
}

/** `hello`: from one synchronous step on, the subscriber has been sent all that its cursor does not show, and gets the rest live. */
export function subscribe(instance: Instance, stream: WatchStream, cursor: Cursor, rules: Rules): void {
  const timeline = instance.cursor.timeline;
  const start = rules.timelineChange === 'start-over' && cursor.timeline !== timeline ? BEGINNING : cursor;
  for (const row of instance.queued)
    if (!shows(start, row, rules.resumeCursor)) stream.answers.push({ kind: 'revocation', rev: row.rev });
  stream.subscribed = true;
  stream.live = rules.attach === 'with-replay';
}

export function beginBarrier(instance: Instance): void {
  const reader = readerAt(instance, 0);
  reader.step = 'begun';
  reader.batch = instance.waiting;
  reader.begunAt = read(instance.clock);
  instance.waiting = [];
}

/** The barrier's write. On a server that is not the primary it fails, and with it the connection. */
export function writeBarrier(instance: Instance, store: LogStore, rules: Rules): void {
  const reader = readerAt(instance, 0);
  const onPrimary = instance.server === primaryOf(store);
  const acknowledged = onPrimary || rules.warnedBarrier === 'acknowledged';
  if (rules.barrier === 'write') {
    if (!acknowledged || instance.server === null) {
      loseConnection(instance);
      return;
    }
    reader.barrierXid = commitBarrier(serverAt(store, instance.server));
  } else {
    reader.barrierXid = instance.server === null ? 0 : serverAt(store, instance.server).completed;
  }
  reader.step = rules.barrierOrder === 'write-then-read' ? 'half' : 'read';
  if (rules.introspectionBarrier === 'written') instance.lastBarrier = reader.begunAt;
}

/** `from`: the connection's own server, unless the mutation `any-server` sends the read elsewhere. */
export function readLog(
  instance: Instance,
  index: number,
  from: number,
  store: LogStore,
  rules: Rules,
): void {
  const reader = readerAt(instance, index);
  const found = readAfter(serverAt(store, from), instance.cursor, rules);
  if (rules.dedup === 'at-read') {
    found.rows = found.rows.filter((row) => !instance.markedAtRead.includes(row.rev));
    instance.markedAtRead.push(...found.rows.map((row) => row.rev));
  }
  reader.found = found;
  const writeFollows = reader.batch !== null && rules.barrierOrder === 'read-then-write';
  reader.step = writeFollows ? 'half' : 'read';
}

/** One synchronous step: rows into every live stream, then the answers; the cursor moves, the deny-list knows the rows. */
export function queueFound(instance: Instance, index: number, subscribers: Subscribers, rules: Rules): void {
  const reader = readerAt(instance, index);
  const { found, batch, begunAt, barrierXid } = reader;
  instance.readers[index] = idle();
  if (found === null) return;
  const fresh = found.rows.filter((row) => !instance.queued.some((queued) => queued.rev === row.rev));
  const vouched = boundedBy(found.cursor, barrierXid, rules);
  if (rules.renewed === 'ahead-of-its-read') answer(batch, vouched, subscribers);
  for (const { stream } of subscribers)
    if (stream.live) for (const { rev } of fresh) stream.answers.push({ kind: 'revocation', rev });
  if (rules.renewed === 'behind-its-read') answer(batch, vouched, subscribers);
  instance.queued.push(...fresh);
  instance.denied.push(...fresh.map((row) => row.rev));
  instance.cursor = found.cursor;
  if (batch === null) return;
  instance.safeCursor = vouched;
  instance.lastBarrier = begunAt;
}

function answer(batch: readonly Renewal[] | null, cursor: Cursor, subscribers: Subscribers): void {
  for (const { stream, id } of batch ?? [])
    subscribers
      .find((one) => one.node === stream.node && one.stream.serial === stream.serial)
      ?.stream.answers.push({ kind: 'renewed', id, cursor });
}

/** Ticks since the barrier began whose rows this instance's deny-list has; Infinity before the first. */
export const barrierAge = (instance: Instance, rules: Rules): number =>
  instance.lastBarrier === null
    ? Infinity
    : elapsed(rules.elapsed, instance.lastBarrier, read(instance.clock));
