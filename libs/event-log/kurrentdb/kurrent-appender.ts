import { NO_STREAM } from '@kurrent/kurrentdb-client';
import { ConcurrencyConflict, type Position, type RecordedEvent, type StreamAppend } from '#application';
import { CurfewError, isCurfewError } from '#contracts';
import { assertWellFormed, storableJson } from '../storable-append.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { pause, within } from './deadline.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { clientErrorType, fromClient } from './kurrent-errors.js';
import { toPosition } from './kurrent-position.js';
import { readEvents } from './reads.js';
import { toKurrentEvent } from './recorded-event.js';
import { StreamTurns } from './stream-turns.js';

/** Milliseconds one attempt may take, and an append with all its attempts. */
const ATTEMPT_MS = 1_000;
const APPEND_MS = 2_500;
const PAUSE_MS = 50;
const MOST_ATTEMPTS = 3;
/** More at once would wait at the server, where their attempts would time out. */
const MOST_AT_ONCE = 128;
const MOST_HEADS = 10_000;

/**
 * Appends, always with expected revisions, and settles those whose outcome is unknown by their event ids: after a failure the
 * streams are read, and then either the events are there, or a stream has gone on without them (so that they can never be
 * appended), or nothing has happened yet and the append is sent again. A server takes an append with the same ids only once.
 */
export class KurrentAppender {
  private readonly turns = new StreamTurns();
  private readonly limit = new ConcurrencyLimit(MOST_AT_ONCE);
  private readonly heads = new KnownHeads();

  /** @param reads another connection, for reading back */
  constructor(
    private readonly connection: KurrentConnection,
    private readonly reads: KurrentConnection,
  ) {}

  /** @throws as `EventLog.append` */
  async append(appends: readonly StreamAppend[]): Promise<Position> {
    assertWellFormed(appends);
    storableJson(appends);
    const end = performance.now() + APPEND_MS;
    const streams = appends.map(({ stream }) => stream);
    return this.turns.run(streams, () => this.limit.run(() => this.appendBefore(end, appends)));
  }

  private async appendBefore(end: number, appends: readonly StreamAppend[]): Promise<Position> {
    // A caller that this process has overtaken need not be told so by the server.
    if (appends.some(({ stream, expectedRevision }) => this.heads.at(stream) > expectedRevision)) {
      const settled = await before(end, () => this.settled(appends)).catch(unlessUnavailable);
      if (settled !== undefined) return settled;
    }
    let failure: unknown = new Error('too many appends are waiting');
    for (let attempt = 1; attempt <= MOST_ATTEMPTS && performance.now() < end; attempt += 1) {
      if (attempt > 1) await pause(PAUSE_MS);
      try {
        const position = await before(end, () =>
          this.send(appends, Math.min(ATTEMPT_MS, end - performance.now())),
        );
        this.heads.note(appends);
        return position;
      } catch (error) {
        failure = error;
        const isConflict = clientErrorType(error) === 'wrong-expected-version';
        if (!isConflict && !isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
      }
      const settled = await before(end, () => this.settled(appends)).catch(unlessUnavailable);
      if (settled !== undefined) return settled;
    }
    throw isCurfewError(failure) ? failure : new CurfewError('ERR_UNAVAILABLE', { cause: failure });
  }

  private async send(appends: readonly StreamAppend[], ms: number): Promise<Position> {
    const requests = appends.map(({ stream, expectedRevision, events }) => ({
      streamName: stream,
      expectedState: expectedRevision === -1 ? (NO_STREAM as typeof NO_STREAM) : BigInt(expectedRevision),
      events: events.map(toKurrentEvent),
    }));
    const { position } = await this.connection.call(ms, (client) => client.multiStreamAppend(requests));
    if (position === undefined) throw new Error('the server told no position of the append');
    const [only] = appends;
    if (appends.length === 1 && only?.events.length === 1) {
      return toPosition({ commit: position, prepare: position });
    }
    return this.readBack(appends);
  }

  /** Which of several events' positions the server answers is not documented, least of all when it had them already. */
  private async readBack(appends: readonly StreamAppend[]): Promise<Position> {
    const { stream, expectedRevision, events } = appends.at(-1)!;
    const last = expectedRevision + events.length;
    const [event] = await readEvents(this.reads, stream, { from: last, max: 1 });
    if (event === undefined) throw new Error('an event that was appended is not there');
    return event.position;
  }

  /** The position if all is there, undefined if nothing is and the streams stand where they were expected. */
  private async settled(appends: readonly StreamAppend[]): Promise<Position | undefined> {
    const found = await this.look(appends);
    const written = positionIfWritten(found, appends);
    if (written !== undefined) return written;
    const i = found.findIndex(({ revision }, at) => revision !== appends[at]!.expectedRevision);
    if (i === -1) return undefined;
    // The reads are not of one instant, and the append itself may have come in between. What stands behind a stream that has
    // moved is final by now, so a second look tells who moved it.
    const late = positionIfWritten(await this.look(appends), appends);
    if (late !== undefined) return late;
    throw new ConcurrencyConflict(appends[i]!.stream, appends[i]!.expectedRevision, found[i]!.revision);
  }

  private look(appends: readonly StreamAppend[]): Promise<Found[]> {
    return Promise.all(appends.map((append) => this.found(append)));
  }

  private async found({ stream, expectedRevision, events }: StreamAppend): Promise<Found> {
    const [written, [last]] = await Promise.all([
      readEvents(this.reads, stream, { from: expectedRevision + 1, max: events.length }),
      readEvents(this.reads, stream, { backwards: true, max: 1 }),
    ]);
    return { events: written, revision: last?.revision ?? -1 };
  }
}

/** Revisions that streams have reached at least, of the streams appended to last. */
class KnownHeads {
  private readonly revisions = new Map<string, number>();

  at(stream: string): number {
    return this.revisions.get(stream) ?? -1;
  }

  note(appends: readonly StreamAppend[]): void {
    for (const { stream, expectedRevision, events } of appends) {
      this.revisions.delete(stream);
      this.revisions.set(stream, expectedRevision + events.length);
    }
    for (const oldest of this.revisions.keys()) {
      if (this.revisions.size <= MOST_HEADS) break;
      this.revisions.delete(oldest);
    }
  }
}

interface Found {
  /** Where the events of the append would be. */
  readonly events: readonly RecordedEvent[];
  /** Of the stream's last event. */
  readonly revision: number;
}

const isWritten = (found: readonly RecordedEvent[], { events }: StreamAppend): boolean =>
  found.length === events.length && events.every(({ id }, i) => id === found[i]!.id);

const positionIfWritten = (
  found: readonly Found[],
  appends: readonly StreamAppend[],
): Position | undefined =>
  found.every(({ events }, i) => isWritten(events, appends[i]!))
    ? found.flatMap(({ events }) => events.map(({ position }) => position)).reduce(laterOf)
    : undefined;

const laterOf = (a: Position, b: Position): Position => (a > b ? a : b);

/** @throws CurfewError ERR_UNAVAILABLE when it takes longer */
async function before<T>(end: number, work: () => Promise<T>): Promise<T> {
  try {
    return await within(Math.max(0, end - performance.now()), work);
  } catch (error) {
    throw fromClient(error);
  }
}

function unlessUnavailable(error: unknown): undefined {
  if (!isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
}
