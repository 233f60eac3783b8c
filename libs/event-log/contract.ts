import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConcurrencyConflict, type EventLog, type StreamAppend } from '#application';
import type { EventLogAlarm } from './alarm.js';
import { tailsContract } from './tails/contract.js';
import { anEvent, append, newStream } from './testing/appends.js';
import { SEED, seededRandom } from './testing/seeded-random.js';
import { readWholeLog, record, until } from './testing/until.js';

export { revocationLogContract } from './revocation-log/contract.js';

export interface EventLogUnderTest {
  readonly log: EventLog;
  /** A second instance on the same store. */
  readonly other: EventLog;
  /** What both have raised so far. */
  readonly alarms: readonly EventLogAlarm[];
  close(): Promise<void>;
}

/** What every adapter of `EventLog` does. `open` gives an empty log. */
export function eventLogContract(name: string, open: () => Promise<EventLogUnderTest>): void {
  describe(`event log: ${name} (SEED=${SEED})`, () => {
    let tested: EventLogUnderTest;
    let log: EventLog;
    let other: EventLog;
    beforeAll(async () => {
      tested = await open();
      ({ log, other } = tested);
    });
    afterAll(() => tested.close());

    const outcome = async (appends: readonly StreamAppend[], on: EventLog = log): Promise<unknown> => {
      try {
        return await on.append(appends);
      } catch (error) {
        return error;
      }
    };

    describe('append', () => {
      it('numbers the events of a stream from 0 and gives back what was appended', async () => {
        const stream = newStream();
        const events = [anEvent('session.created', { sub: 'u', roles: ['a'] }), anEvent(), anEvent()];
        await log.append([append(stream, -1, events[0]!)]);
        const last = await log.append([append(stream, 0, events[1]!, events[2]!)]);

        const slice = await log.readStream(stream);
        expect(slice.revision).toBe(2);
        expect(slice.events).toEqual(
          events.map((event, revision) => ({ ...event, stream, revision, position: expect.any(String) })),
        );
        expect(slice.events[2]!.position).toBe(last);
      });

      it.each([
        ['a new stream where there is one', -1],
        ['a revision that is past', 0],
        ['a revision that is not there yet', 2],
      ])('refuses %s, names what it found and writes nothing', async (_, expected) => {
        const stream = newStream();
        await log.append([append(stream, -1, anEvent(), anEvent())]);

        const error = await outcome([append(stream, expected, anEvent())]);

        expect(error).toBeInstanceOf(ConcurrencyConflict);
        expect(error).toMatchObject({ stream, expected, actual: 1 });
        expect((await log.readStream(stream)).events).toHaveLength(2);
      });

      it('never commits the second of two events whose first conflicts, nor anything that came with it', async () => {
        const [stream, sibling] = [newStream(), newStream()];
        const first = anEvent();
        await log.append([append(stream, -1, first)]);
        const outcomes = await Promise.all([
          // Revision 0 is taken, 1 is free.
          outcome([append(sibling, -1, anEvent()), append(stream, -1, anEvent(), anEvent())]),
          outcome([append(stream, -1, first, anEvent())]),
          outcome([append(stream, -1, anEvent(), anEvent(), anEvent())], other),
        ]);
        for (const refused of outcomes) {
          expect(refused).toMatchObject({ name: 'ConcurrencyConflict', stream, expected: -1, actual: 0 });
        }
        expect((await log.readStream(stream)).events.map(({ id }) => id)).toEqual([first.id]);
        expect((await log.readStream(sibling)).revision).toBe(-1);
      });

      it('confirms without writing an event', async () => {
        const stream = newStream();
        await log.append([append(stream, -1, anEvent())]);
        await Promise.all([log.confirm(), other.confirm(), log.confirm()]);
        expect((await log.readStream(stream)).revision).toBe(0);
      });

      it('refuses an existing revision of a stream that does not exist', async () => {
        const stream = newStream();
        expect(await outcome([append(stream, 0, anEvent())])).toMatchObject({
          stream,
          expected: 0,
          actual: -1,
        });
        await log.append([append(stream, -1, anEvent())]);
      });

      it('appends to several streams all or nothing', async () => {
        const [a, b, fresh] = [newStream(), newStream(), newStream()];
        await log.append([append(a, -1, anEvent()), append(b, -1, anEvent())]);

        const refused = await outcome([
          append(fresh, -1, anEvent()),
          append(a, 0, anEvent()),
          append(b, 5, anEvent()),
        ]);
        expect(refused).toMatchObject({ stream: b, expected: 5, actual: 0 });
        const after = await log.readStreams([a, b, fresh]);
        expect([a, b, fresh].map((stream) => after.get(stream)!.revision)).toEqual([0, 0, -1]);

        const position = await log.append([
          append(fresh, -1, anEvent()),
          append(a, 0, anEvent()),
          append(b, 0, anEvent(), anEvent()),
        ]);
        const written = await log.readStreams([a, b, fresh]);
        expect([a, b, fresh].map((stream) => written.get(stream)!.revision)).toEqual([1, 2, 0]);
        expect(written.get(b)!.events.at(-1)!.position).toBe(position);
      });

      it('answers a repeated append as the first time, also after other events have followed', async () => {
        const [a, b] = [newStream(), newStream()];
        const appends = [append(a, -1, anEvent()), append(b, -1, anEvent(), anEvent())];
        const first = await log.append(appends);
        expect(await log.append(appends)).toBe(first);

        await log.append([append(a, 0, anEvent()), append(b, 1, anEvent())]);
        expect(await other.append(appends)).toBe(first);
        const slices = await log.readStreams([a, b]);
        expect([slices.get(a)!.revision, slices.get(b)!.revision]).toEqual([1, 2]);
      });

      it('refuses an append of which only a part was appended before', async () => {
        const [a, b] = [newStream(), newStream()];
        const [known, unknown] = [anEvent(), anEvent()];
        await log.append([append(a, -1, known)]);
        expect(await outcome([append(a, -1, known), append(b, -1, unknown)])).toBeInstanceOf(
          ConcurrencyConflict,
        );
        expect(await outcome([append(a, -1, known, unknown)])).toBeInstanceOf(ConcurrencyConflict);
        expect((await log.readStreams([a, b])).get(b)!.revision).toBe(-1);
      });

      it('lets exactly one of several concurrent appends to a stream win', async () => {
        const random = seededRandom(SEED);
        const stream = newStream();
        for (let round = 0; round < 40; round += 1) {
          const contenders = Array.from({ length: 2 + random.below(6) }, () =>
            outcome([append(stream, round - 1, anEvent())], random.pick([log, other])),
          );
          const outcomes = await Promise.all(contenders);
          const winners = outcomes.filter((result) => typeof result === 'string');
          expect(winners).toHaveLength(1);
          for (const loser of outcomes.filter((result) => typeof result !== 'string')) {
            expect(loser).toMatchObject({ name: 'ConcurrencyConflict', stream, actual: round });
          }
          expect((await log.readStream(stream)).revision).toBe(round);
        }
      });

      it('keeps concurrent appends that succeed apart from those that conflict', async () => {
        const taken = newStream();
        await log.append([append(taken, -1, anEvent())]);
        const streams = Array.from({ length: 30 }, newStream);
        const outcomes = await Promise.all(
          streams.map((stream, i) =>
            outcome([
              append(stream, -1, anEvent()),
              ...(i % 3 === 0 ? [append(i % 2 ? taken : newStream(), 7, anEvent())] : []),
            ]),
          ),
        );
        const slices = await log.readStreams(streams);
        outcomes.forEach((result, i) => {
          const slice = slices.get(streams[i]!)!;
          if (i % 3 === 0) {
            expect(result).toBeInstanceOf(ConcurrencyConflict);
            expect(slice).toEqual({ events: [], revision: -1 });
          } else {
            expect(slice.events.map(({ position }) => position)).toEqual([result]);
          }
        });
      });

      it('takes the appends of one caller to one stream in the order of the calls', async () => {
        const stream = newStream();
        const positions = await Promise.all(
          Array.from({ length: 10 }, (_, i) => log.append([append(stream, i - 1, anEvent('t', { i }))])),
        );
        const { events } = await log.readStream(stream);
        expect(events.map(({ data }) => data['i'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        expect(events.map(({ position }) => position)).toEqual(positions);
      });

      it.each([
        ['quotes, escapes and controls', '"\\ \\u0000 \\" \u0001\u001f\u007f\n\t\b {}[]$1 \'; drop'],
        ['emoji and astral characters', '👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 𝕊 \ue000 \ufffd \uffff'],
        ['right to left, combining and look-alike characters', 'שלום مرحبا e\u0301 é ẞß İı ﬁ \u202e'],
        ['JavaScript’s own separators', '\u2028\u2029\ufeff'],
      ])('gives back text with %s unchanged', async (_, text) => {
        const stream = `${newStream()} ${text}`;
        const data = { [text]: text, nested: [{ text }, null, true, 0, -1.5e-7, 1e21, 9007199254740991, ''] };
        await log.append([append(stream, -1, anEvent('t', data))]);
        const slice = (await log.readStreams([stream])).get(stream)!;
        expect(slice.events[0]).toMatchObject({ stream, data });
      });

      it.each([
        ['a NUL', 'a\0b'],
        ['half a surrogate pair', 'a\ud83db'],
        ['the other half', '\udc4d'],
      ])('refuses %s and does no harm to others', async (_, text) => {
        const [bad, named, good] = [newStream(), `${newStream()}${text}`, newStream()];
        const results = await Promise.all([
          outcome([append(bad, -1, anEvent('t', { deep: [{ text }] }))]),
          outcome([append(named, -1, anEvent())]),
          outcome([append(good, -1, anEvent())]),
        ]);
        expect(results).toMatchObject([
          { code: 'ERR_VALIDATION' },
          { code: 'ERR_VALIDATION' },
          expect.any(String),
        ]);
        const slices = await log.readStreams([bad, named, good]);
        expect([bad, named, good].map((stream) => slices.get(stream)!.revision)).toEqual([-1, -1, 0]);
      });

      it('refuses an append without streams or events, or with a stream named twice', async () => {
        const stream = newStream();
        for (const malformed of [
          [],
          [append(stream, -1)],
          [append(stream, -1, anEvent()), append(stream, 0, anEvent())],
          [append(stream, -2, anEvent())],
        ]) {
          expect(await outcome(malformed)).toBeInstanceOf(TypeError);
        }
        expect((await log.readStream(stream)).revision).toBe(-1);
      });
    });

    describe('reads', () => {
      it('reads a stream from a revision and at most so many events, and always tells the last revision', async () => {
        const stream = newStream();
        await log.append([append(stream, -1, anEvent(), anEvent(), anEvent(), anEvent())]);
        const revisions = async (options?: { from?: number; max?: number }): Promise<number[]> => {
          const slice = await log.readStream(stream, options);
          expect(slice.revision).toBe(3);
          return slice.events.map(({ revision }) => revision);
        };
        expect(await revisions()).toEqual([0, 1, 2, 3]);
        expect(await revisions({ from: 1, max: 2 })).toEqual([1, 2]);
        expect(await revisions({ from: 3 })).toEqual([3]);
        expect(await revisions({ from: 4 })).toEqual([]);
        expect(await revisions({ max: 0 })).toEqual([]);
      });

      it('reads several streams; one that does not exist is empty', async () => {
        const [a, b, none] = [newStream(), newStream(), newStream()];
        await log.append([append(a, -1, anEvent()), append(b, -1, anEvent(), anEvent())]);
        const slices = await log.readStreams([b, none, a]);
        expect([...slices.keys()].sort()).toEqual([a, b, none].sort());
        expect(slices.get(none)).toEqual({ events: [], revision: -1 });
        expect(slices.get(b)!.events.map(({ revision }) => revision)).toEqual([0, 1]);
        expect(await log.readStreams([])).toEqual(new Map());
      });

      it('shows on one instance what another has appended as soon as it returns', async () => {
        const stream = newStream();
        for (let revision = -1; revision < 20; revision += 1) {
          await other.append([append(stream, revision, anEvent())]);
          expect((await log.readStream(stream)).revision).toBe(revision + 1);
        }
      });

      it('reads the whole log in the order of positions, in pages of any size', async () => {
        const streams = Array.from({ length: 9 }, newStream);
        await Promise.all(streams.map((stream) => log.append([append(stream, -1, anEvent(), anEvent())])));
        const whole = await readWholeLog(log, '', 1_000);
        const positions = whole.map(({ position }) => position);
        expect(positions).toEqual([...positions].sort());
        expect(new Set(positions).size).toBe(positions.length);
        for (const stream of streams) {
          const revisions = whole.filter((event) => event.stream === stream).map(({ revision }) => revision);
          expect(revisions).toEqual([0, 1]);
        }
        expect(await readWholeLog(log, '', 7)).toEqual(whole);
        expect(await readWholeLog(log, positions[4], 3)).toEqual(whole.slice(5));
        expect(await log.readAll(positions.at(-1)!, 10)).toEqual({
          events: [],
          position: positions.at(-1),
          caughtUp: true,
        });
      });

      it('refuses a position of another log', async () => {
        await expect(log.readAll("1' or true", 10)).rejects.toThrow(RangeError);
      });
    });

    tailsContract(() => tested);

    describe('subscription', () => {
      it('delivers what is after a position, says that it has caught up, and goes on with what comes', async () => {
        const stream = newStream();
        const first = await log.append([append(stream, -1, anEvent())]);
        await log.append([append(stream, 0, anEvent(), anEvent())]);
        const recording = record(log, first);
        await until(() => recording.messages.some(({ kind }) => kind === 'caught-up'));
        expect(recording.events().map(({ revision }) => revision)).toEqual([1, 2]);

        const last = await other.append([append(stream, 2, anEvent())]);
        await until(() => recording.messages.some((m) => m.kind === 'caught-up' && m.position === last));
        expect(recording.events().map(({ revision }) => revision)).toEqual([1, 2, 3]);
        expect(recording.events()).toEqual((await log.readStream(stream, { from: 1 })).events);
        await recording.stop();
      });

      it('G7: delivers every event once and in order while others append', async () => {
        const random = seededRandom(SEED + 1);
        const start = (await readWholeLog(log)).at(-1)?.position ?? '';
        const recordings = [record(log, start), record(other, start)];
        const streams = Array.from({ length: 8 }, newStream);
        await Promise.all(
          streams.map(async (stream) => {
            for (let revision = -1; revision < 40; revision += 1) {
              await random.pick([log, other]).append([append(stream, revision, anEvent())]);
            }
          }),
        );
        const late = record(log, start);
        for (const recording of [...recordings, late]) {
          await until(() => recording.events().length >= streams.length * 41);
          await recording.stop();
          expect(recording.events()).toEqual(await readWholeLog(log, start));
        }
      });

      it('G7: the order of the log never contradicts the order of a stream, not even for callers that guess', async () => {
        const random = seededRandom(SEED + 2);
        const start = (await readWholeLog(log)).at(-1)?.position ?? '';
        const streams = Array.from({ length: 5 }, newStream);
        let accepted = 0;
        await Promise.all(
          Array.from({ length: 16 }, async (_, caller) => {
            const on = caller % 2 === 0 ? log : other;
            for (let i = 0; i < 15; i += 1) {
              const chosen = streams.filter(() => random.below(3) === 0);
              const slices = await on.readStreams(chosen);
              const guesses = chosen.map((stream) =>
                append(stream, slices.get(stream)!.revision + random.below(2), anEvent(), anEvent()),
              );
              const result = await outcome([append(newStream(), -1, anEvent()), ...guesses], on);
              if (typeof result === 'string') accepted += guesses.length;
            }
          }),
        );
        const whole = await readWholeLog(log, start);
        let found = 0;
        for (const stream of streams) {
          const revisions = whole.filter((event) => event.stream === stream).map(({ revision }) => revision);
          expect(revisions).toEqual(revisions.map((_, revision) => revision));
          found += revisions.length;
        }
        expect(found).toBe(2 * accepted);
        expect(accepted).toBeGreaterThan(0);
      });

      it('G7: pages through events of one append and of one instant, one at a time', async () => {
        const start = (await readWholeLog(log)).at(-1)?.position ?? '';
        const [a, b] = [newStream(), newStream()];
        await log.append([
          append(a, -1, anEvent(), anEvent(), anEvent()),
          append(b, -1, anEvent(), anEvent()),
        ]);
        await other.append([append(a, 2, anEvent())]);
        const whole = await readWholeLog(log, start, 1);
        expect(new Set(whole.map(({ metadata }) => metadata.recordedAt)).size).toBe(1);
        expect(whole.map(({ stream, revision }) => [stream, revision])).toEqual([
          [a, 0],
          [a, 1],
          [a, 2],
          [b, 0],
          [b, 1],
          [a, 3],
        ]);
      });

      it('ends when it is aborted, before, during and after the catch-up', async () => {
        const aborted = new AbortController();
        aborted.abort();
        for await (const message of log.subscribe('', aborted.signal)) {
          throw new Error(`an aborted subscription gave ${message.kind}`);
        }
        const abort = new AbortController();
        let seen = 0;
        for await (const message of log.subscribe('', abort.signal)) {
          expect(message.kind).toBe('event');
          seen += 1;
          abort.abort();
        }
        expect(seen).toBe(1);
        const idle = record(log);
        await until(() => idle.messages.some(({ kind }) => kind === 'caught-up'));
        await idle.stop();
      });
    });
  });
}
