import { beforeAll, describe, expect, it } from '@jest/globals';
import type { EventLog, StreamSnapshot, StreamTail } from '#application';
import type { EventLogAlarm } from '../alarm.js';
import { anEvent, append, newStream } from '../testing/appends.js';
import { SEED, seededRandom } from '../testing/seeded-random.js';
import { until } from '../testing/until.js';

export interface TailsUnderTest {
  readonly log: EventLog;
  /** A second instance on the same store. */
  readonly other: EventLog;
  /** What both have raised so far. */
  readonly alarms: readonly EventLogAlarm[];
}

const FORMAT = 'counter/1';

/** Part of `eventLogContract`: `readTails` and `keepSnapshot`. */
export function tailsContract(tested: () => TailsUnderTest): void {
  describe('tails', () => {
    let log: EventLog;
    let other: EventLog;
    beforeAll(() => {
      ({ log, other } = tested());
    });

    const tailOf = async (stream: string, on: EventLog = log, format = FORMAT): Promise<StreamTail> =>
      (await on.readTails([stream], format)).get(stream)!;
    const snapshotOf = (stream: string, revision: number, format = FORMAT): StreamSnapshot => ({
      stream,
      revision,
      format,
      state: { upTo: revision, text: 'é "\\ 👩‍👩‍👧‍👦', nested: [{ none: null }, 1e21, ''] },
    });
    const revisions = ({ events }: StreamTail): number[] => events.map(({ revision }) => revision);
    const aStream = async (length: number): Promise<string> => {
      const stream = newStream();
      await log.append([append(stream, -1, ...Array.from({ length }, () => anEvent()))]);
      return stream;
    };
    /** Keeping is best effort: told again until it is there. */
    const kept = async (snapshot: StreamSnapshot, on: EventLog = log): Promise<void> => {
      on.keepSnapshot(snapshot);
      await until(async () => {
        const { snapshot: found } = await tailOf(snapshot.stream, on, snapshot.format);
        return found !== undefined && found.revision >= snapshot.revision;
      });
    };

    it('is the whole stream where there is no snapshot', async () => {
      const stream = await aStream(3);
      const { events, revision } = await log.readStream(stream);
      expect(await tailOf(stream)).toEqual({ events, revision });
    });

    it('is the snapshot and what is behind it, on every instance', async () => {
      const stream = await aStream(5);
      await kept(snapshotOf(stream, 2));
      const events = (await log.readStream(stream)).events.slice(3);
      for (const instance of [log, other]) {
        expect(await tailOf(stream, instance)).toEqual({
          events,
          revision: 4,
          snapshot: snapshotOf(stream, 2),
        });
      }
      await other.append([append(stream, 4, anEvent())]);
      expect(revisions(await tailOf(stream))).toEqual([3, 4, 5]);
    });

    it('has no events behind a snapshot of the last one', async () => {
      const stream = await aStream(2);
      await kept(snapshotOf(stream, 1));
      expect(await tailOf(stream)).toEqual({ events: [], revision: 1, snapshot: snapshotOf(stream, 1) });
    });

    it('reads several streams, each with its own snapshot or none, and none of one that does not exist', async () => {
      const [short, long, missing] = [await aStream(1), await aStream(4), newStream()];
      await kept(snapshotOf(long, 2));
      const tails = await log.readTails([missing, long, short], FORMAT);
      expect([...tails.keys()].sort()).toEqual([missing, long, short].sort());
      expect(tails.get(missing)).toEqual({ events: [], revision: -1 });
      expect(tails.get(long)).toMatchObject({ revision: 3, snapshot: { revision: 2 } });
      expect(revisions(tails.get(long)!)).toEqual([3]);
      expect(tails.get(short)).not.toHaveProperty('snapshot');
      expect(revisions(tails.get(short)!)).toEqual([0]);
      expect(await log.readTails([], FORMAT)).toEqual(new Map());
      expect(await tailOf(`${newStream()}\0`)).toEqual({ events: [], revision: -1 });
    });

    it('ignores a snapshot of another format, and takes one of its own in its place', async () => {
      const stream = await aStream(3);
      await kept(snapshotOf(stream, 2, 'counter/0'));
      const whole = await tailOf(stream);
      expect(whole).not.toHaveProperty('snapshot');
      expect(revisions(whole)).toEqual([0, 1, 2]);
      // Also an older one: the other format's is of no use here.
      await kept(snapshotOf(stream, 1));
      expect(await tailOf(stream)).toMatchObject({ snapshot: { revision: 1, format: FORMAT } });
    });

    it('answers calls that come together each in its own format', async () => {
      const stream = await aStream(3);
      await kept(snapshotOf(stream, 0));
      const [own, foreign] = await Promise.all([tailOf(stream), tailOf(stream, log, 'counter/9')]);
      expect([revisions(own), revisions(foreign)]).toEqual([
        [1, 2],
        [0, 1, 2],
      ]);
    });

    it('an older snapshot never replaces a newer one', async () => {
      const stream = await aStream(9);
      const marker = await aStream(2);
      await kept(snapshotOf(stream, 7));
      for (const revision of [6, 3, 7, 0]) log.keepSnapshot({ ...snapshotOf(stream, revision), state: {} });
      // What was told after them is there, so they were dealt with.
      await kept(snapshotOf(marker, 1));
      await kept(snapshotOf(await aStream(1), 0), other);
      expect(await tailOf(stream)).toMatchObject({ snapshot: snapshotOf(stream, 7) });
      await kept(snapshotOf(stream, 8));
      expect(await tailOf(stream)).toMatchObject({ events: [], snapshot: { revision: 8 } });
    });

    it('the newest of several that come together stays, whoever tells it', async () => {
      const random = seededRandom(SEED + 6);
      const streams = await Promise.all(Array.from({ length: 12 }, () => aStream(30)));
      for (let i = 0; i < 300; i += 1) {
        random.pick([log, other]).keepSnapshot(snapshotOf(random.pick(streams), random.below(29)));
      }
      for (const stream of streams) random.pick([log, other]).keepSnapshot(snapshotOf(stream, 29));
      await until(async () => {
        const tails = await log.readTails(streams, FORMAT);
        return [...tails.values()].every(({ snapshot }) => snapshot?.revision === 29);
      });
    });

    it.each([
      ['a stream', 2],
      ['a stream that does not exist', 0],
    ])('discards a snapshot that is ahead of %s with an alarm, and reads it whole', async (_, length) => {
      const stream = length === 0 ? newStream() : await aStream(length);
      const before = tested().alarms.length;
      log.keepSnapshot(snapshotOf(stream, 5));
      const raised = (): readonly EventLogAlarm[] => tested().alarms.slice(before);
      let tail: StreamTail | undefined;
      await until(async () => {
        tail = await tailOf(stream);
        return raised().length > 0;
      });
      expect(raised()).toContainEqual({
        kind: 'snapshot-ahead',
        stream,
        snapshotRevision: 5,
        revision: length - 1,
      });
      expect(tail).not.toHaveProperty('snapshot');
      expect(revisions(tail!)).toEqual(Array.from({ length }, (__, i) => i));

      // It is gone for good: it does not come to life when the stream has grown past it, nor bar a newer one's way.
      await log.append([append(stream, length - 1, ...Array.from({ length: 8 }, () => anEvent()))]);
      expect(revisions(await tailOf(stream, other))).toHaveLength(length + 8);
      await kept(snapshotOf(stream, 1));
      expect(await tailOf(stream)).toMatchObject({ snapshot: { revision: 1 } });
    });

    it('G1: shows on one instance what another has appended as soon as it returns, snapshot or not', async () => {
      const random = seededRandom(SEED + 7);
      const stream = newStream();
      for (let revision = 0; revision < 60; revision += 1) {
        await random.pick([log, other]).append([append(stream, revision - 1, anEvent())]);
        const tail = await tailOf(stream, random.pick([log, other]));
        const from = (tail.snapshot?.revision ?? -1) + 1;
        expect(tail.revision).toBe(revision);
        expect(revisions(tail)).toEqual(Array.from({ length: revision + 1 - from }, (_, i) => from + i));
        if (random.below(4) === 0) {
          random.pick([log, other]).keepSnapshot(snapshotOf(stream, random.below(revision + 1)));
        }
      }
    });
  });
}
