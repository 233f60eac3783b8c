import type { ReadReq } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type { Position, RecordedEvent } from '#application';
import { isCurfewError } from '#contracts';
import { isStorableText } from '#platform';
import { BOOKKEEPING_PREFIX } from './bookkeeping.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { parsePosition, toPosition } from './kurrent-position.js';
import { allRequest, read, streamRequest } from './read-call.js';
import { toRecordedEvent, type KurrentEvent } from './recorded-event.js';

/** Milliseconds without any answer. */
const READ_MS = 1_500;
/** A filtered read of `$all` is silent while the server looks through what the filter drops: a weekend of barriers, say. */
export const SCAN_MS = 30_000;

/** Event types in `$all` that a reader wants, as the server's regular expression. */
export type TypeFilter = string;

/** Everything but the server's own events and ours. */
export const LOG_EVENTS: TypeFilter = `^[^$${BOOKKEEPING_PREFIX}]`;

export const onlyTypes = (types: readonly string[]): TypeFilter =>
  `^(${types.map((type) => type.replaceAll('.', '\\.')).join('|')})$`;

export interface StreamRange {
  /** Revision; the stream's end unless set. */
  readonly from?: number;
  readonly backwards?: boolean;
  /** All unless set. */
  readonly max?: number;
}

/** Events of a stream on the leader, in the order asked for; none if there is no such stream. */
export async function readEvents(
  connection: KurrentConnection,
  stream: string,
  { from, backwards = false, max = Number.MAX_SAFE_INTEGER }: StreamRange,
): Promise<RecordedEvent[]> {
  // No stream has such a name.
  if (!isStorableText(stream) || max === 0) return [];
  const request = streamRequest(stream, from, { backwards, max });
  const events = await readWhole(connection, request);
  return events.map(toRecordedEvent);
}

/** An event of `$all`, which may be one of ours that is no part of the log. */
export type AllEvent = KurrentEvent & { readonly at: Position };

/** Up to `max` events of `$all` after `after` that the filter lets through, on the leader. */
export async function readAllAfter(
  connection: KurrentConnection,
  after: Position,
  max: number,
  filter: TypeFilter,
  patienceMs = READ_MS,
): Promise<AllEvent[]> {
  const from = parsePosition(after);
  const start = from.commit === 0n && from.prepare === 0n ? 'start' : from;
  // The server begins with the event at the position, if there is one.
  const found = await readAllEvents(
    connection,
    allRequest(start, filter, { backwards: false, max: max + 1 }),
    patienceMs,
  );
  return found.filter(({ at }) => at > after).slice(0, max);
}

/** The newest events of `$all` that the filter lets through, newest first. Looks as far back as it must. */
export const readNewest = (
  connection: KurrentConnection,
  max: number,
  filter: TypeFilter,
): Promise<AllEvent[]> =>
  readAllEvents(connection, allRequest('end', filter, { backwards: true, max }), SCAN_MS);

/** Position of the last event of all, of whatever kind; undefined if there is none. */
export async function endOfAll(connection: KurrentConnection): Promise<Position | undefined> {
  const request = allRequest('end', undefined, { backwards: true, max: 1 });
  return (await readAllEvents(connection, request))[0]?.at;
}

async function readAllEvents(
  connection: KurrentConnection,
  request: ReadReq,
  patienceMs = READ_MS,
): Promise<AllEvent[]> {
  const events = await readWhole(connection, request, patienceMs);
  return events.flatMap((event) =>
    event.position === undefined ? [] : [{ ...event, at: toPosition(event.position) }],
  );
}

/** Once more on another connection, if one fails before its time is up: it was cut. */
async function readWhole(
  connection: KurrentConnection,
  request: ReadReq,
  patienceMs = READ_MS,
): Promise<KurrentEvent[]> {
  const once = (): Promise<KurrentEvent[]> =>
    connection.call(patienceMs, async (client, patience) => {
      const events: KurrentEvent[] = [];
      await read(client, request, patience, (event) => events.push(event));
      return events;
    });
  const began = performance.now();
  try {
    return await once();
  } catch (error) {
    if (!isCurfewError(error, 'ERR_UNAVAILABLE') || performance.now() - began > READ_MS / 2) throw error;
    return once();
  }
}
