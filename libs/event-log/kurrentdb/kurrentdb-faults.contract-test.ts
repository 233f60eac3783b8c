import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventLog, Position, RevocationCursor, StreamAppend } from '#application';
import { createDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { anEvent, append, aRevocation, newStream } from '../testing/appends.js';
import { SEED, seededRandom } from '../testing/seeded-random.js';
import { readWholeLog, record, until, type Recording } from '../testing/until.js';
import { KurrentDbDouble } from './double/kurrentdb-double.js';
import { KurrentEventLog } from './kurrent-event-log.js';
import { openKurrentInstance, type KurrentInstance } from './testing/open-kurrent-instance.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 6);
const UNAVAILABLE = { code: 'ERR_UNAVAILABLE' };

/** Faults can only be had from the double. */
describe(`KurrentDB protocol double with faults (SEED=${SEED}, ROUNDS=${ROUNDS})`, () => {
  let double: KurrentDbDouble;
  let database: TestDatabase;
  let one: KurrentInstance;
  let two: KurrentInstance;
  let log: EventLog;
  beforeAll(async () => {
    [double, database] = await Promise.all([KurrentDbDouble.start(), createDatabase()]);
    one = await openKurrentInstance(double.url, database.url);
    two = await openKurrentInstance(double.url, database.url);
    ({ log } = one);
    await log.confirm();
  });
  afterEach(() => {
    double.faults.clear();
    double.thaw();
    double.catchUp();
  });
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await Promise.all([double.close(), database.drop()]);
  });

  const outcome = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      return await work;
    } catch (error) {
      return error;
    }
  };
  const positionsOf = async (stream: string): Promise<Position[]> =>
    (await two.log.readStream(stream)).events.map(({ position }) => position);
  const endOf = async (): Promise<Position> => (await readWholeLog(log)).at(-1)?.position ?? '';

  describe.each([
    ['a store that knows repeated appends', true],
    ['a store that refuses repeated appends', false],
  ])('an append whose answer is lost, on %s', (_store, answersRepeats) => {
    beforeAll(() => {
      double.answersRepeats = answersRepeats;
    });
    afterAll(() => {
      double.answersRepeats = true;
    });

    it.each([
      ['an error after the commit', 'answerCommittedAppends', 'unavailable'],
      ['nothing after the commit', 'answerCommittedAppends', 'nothing'],
      ['an error and no commit', 'loseAppends', 'unavailable'],
      ['nothing and no commit', 'loseAppends', 'nothing'],
    ] as const)('G9: is appended once, with its position: %s', async (_, fault, answer) => {
      const [a, b] = [newStream(), newStream()];
      double.faults[fault](answer);
      const single = await log.append([append(a, -1, anEvent())]);
      expect(await positionsOf(a)).toEqual([single]);

      double.faults[fault](answer);
      const several = await log.append([append(a, 0, anEvent()), append(b, -1, anEvent(), anEvent())]);
      expect(await positionsOf(a)).toHaveLength(2);
      expect((await positionsOf(b))[1]).toBe(several);
    });

    it('G9: is told as appended although others have gone on from it', async () => {
      const stream = newStream();
      double.faults.answerCommittedAppends('nothing');
      const first = log.append([append(stream, -1, anEvent())]);
      await until(() => double.eventIds(stream).length === 1);
      const second = await two.log.append([append(stream, 0, anEvent())]);
      expect(await positionsOf(stream)).toEqual([await first, second]);
    });

    it('is told as a conflict if another’s event is in its place', async () => {
      const stream = newStream();
      double.faults.loseAppends('nothing');
      const first = outcome(log.append([append(stream, -1, anEvent())]));
      await until(() => double.faults.pending === 0);
      await two.log.append([append(stream, -1, anEvent())]);
      expect(await first).toMatchObject({ name: 'ConcurrencyConflict', stream, expected: -1, actual: 0 });
      expect(await positionsOf(stream)).toHaveLength(1);
    });

    it('G9: fails as unknown when nothing can be settled, and the same append settles it later', async () => {
      const stream = newStream();
      const appends = [append(stream, -1, anEvent(), anEvent())];
      double.faults.answerCommittedAppends('nothing', 5);
      const unknown = outcome(log.append(appends));
      await until(() => double.eventIds(stream).length === 2);
      double.freeze();
      expect(await unknown).toMatchObject(UNAVAILABLE);
      double.thaw();
      let settled: unknown;
      await until(async () => typeof (settled = await outcome(log.append(appends))) === 'string');
      expect(await positionsOf(stream)).toEqual([expect.any(String), settled]);
    });
  });

  it('takes the appends of one caller to one stream in order, however long each takes', async () => {
    const random = seededRandom(SEED + 1);
    double.faults.appendDelayMs = () => 1 + random.below(30);
    const stream = newStream();
    const positions = await Promise.all(
      Array.from({ length: 12 }, (_, i) => log.append([append(stream, i - 1, anEvent())])),
    );
    expect(await positionsOf(stream)).toEqual(positions);
  });

  it('waits for slow appends, and gives up those that are too slow without losing or doubling them', async () => {
    const [slow, slower] = [newStream(), newStream()];
    double.faults.appendDelayMs = () => 300;
    await log.append([append(slow, -1, anEvent())]);
    double.faults.appendDelayMs = () => 4_000;
    const appends = [append(slower, -1, anEvent())];
    expect(await outcome(log.append(appends))).toMatchObject(UNAVAILABLE);
    double.faults.appendDelayMs = () => 0;
    const position = await log.append(appends);
    await until(async () => (await positionsOf(slower)).length === 1);
    // The late attempts come to an event that is there.
    double.faults.appendDelayMs = () => 4_500;
    await outcome(two.log.append([append(newStream(), -1, anEvent())]));
    expect(await positionsOf(slower)).toEqual([position]);
  });

  it.each([
    ['refuses every call', (): unknown => (double.faults.refuse = true)],
    ['is stopped', (): unknown => double.stop()],
    ['is half-open', (): unknown => double.freeze()],
  ])('answers ERR_UNAVAILABLE in bounded time while the store %s, and goes on by itself', async (_, fail) => {
    const stream = newStream();
    await log.append([append(stream, -1, anEvent())]);
    await fail();
    const calls: (() => Promise<unknown>)[] = [
      () => log.append([append(stream, 0, anEvent())]),
      () => log.confirm(),
      () => log.readStream(stream),
      () => log.readStreams([stream]),
      () => log.readTails([stream], 'none/1'),
      () => log.readAll('', 10),
      () => one.revocations.barrier(''),
    ];
    const began = performance.now();
    for (const result of await Promise.all(calls.map((call) => outcome(call())))) {
      expect(result).toMatchObject(UNAVAILABLE);
    }
    expect(performance.now() - began).toBeLessThan(4_500);
    double.faults.refuse = false;
    double.thaw();
    await double.restart();
    await until(async () => !((await outcome(log.confirm())) instanceof Error));
    await until(async () => !((await outcome(one.revocations.barrier(''))) instanceof Error));
    await until(async () => !((await outcome(log.readStream(stream))) instanceof Error));
  });

  it('survives cut connections under load: all that is asked for is answered', async () => {
    for (let round = 0; round < 5; round += 1) {
      const streams = Array.from({ length: 100 }, newStream);
      const asked = Promise.all(
        streams.map((stream) => outcome(log.append([append(stream, -1, anEvent())]))),
      );
      setTimeout(() => double.disconnectAll(), round * 5);
      const results = await asked;
      const slices = await two.log.readStreams(streams);
      results.forEach((result, i) => {
        const { events } = slices.get(streams[i]!)!;
        if (typeof result === 'string') expect(events.map(({ position }) => position)).toEqual([result]);
        else expect(result).toMatchObject(UNAVAILABLE);
      });
    }
  });

  it('G9: answers a repeated append as the first time on a store that refuses repeated appends', async () => {
    double.answersRepeats = false;
    const [a, b] = [newStream(), newStream()];
    const appends = [append(a, -1, anEvent()), append(b, -1, anEvent(), anEvent())];
    const first = await log.append(appends);
    await two.log.append([append(a, 0, anEvent())]);
    expect(await two.log.append(appends)).toBe(first);
    double.answersRepeats = true;
  });

  describe('a subscription', () => {
    const last = (recording: Recording): Position => recording.events().at(-1)?.position ?? '';

    it.each([
      ['is cut', () => double.disconnectAll()],
      ['is half-open', () => double.muteSubscriptions()],
    ] as const)('G7: loses and doubles nothing when it %s', async (_, fault) => {
      const start = await endOf();
      const recording = record(log, start);
      await until(() => recording.messages.length > 0);
      const stream = newStream();
      await two.log.append([append(stream, -1, anEvent())]);
      fault();
      const position = await twice(() => two.log.append([append(newStream(), -1, anEvent(), anEvent())]));
      await until(() => last(recording) === position);
      // And it lives on, at the pace of a subscription.
      for (let i = 0; i < 5; i += 1) {
        const next = await twice(() => two.log.append([append(newStream(), -1, anEvent())]));
        await until(() => last(recording) === next);
      }
      await recording.stop();
      expect(recording.events()).toEqual(await readWholeLog(log, start));
    });

    it('G7: drops what it is given again', async () => {
      const start = await endOf();
      const recording = record(log, start);
      await two.log.append([append(newStream(), -1, anEvent(), anEvent(), anEvent())]);
      await until(() => recording.events().length === 3);
      double.faults.deliverAgain = 2;
      double.disconnectAll();
      const position = await twice(() => two.log.append([append(newStream(), -1, anEvent())]));
      await until(() => last(recording) === position);
      await recording.stop();
      expect(recording.events()).toEqual(await readWholeLog(log, start));
    });

    it('does not say that it has caught up while it has fallen behind', async () => {
      const start = await endOf();
      const recording = record(log, start);
      await until(() => recording.messages.some(({ kind }) => kind === 'caught-up'));
      double.fallBehind();
      const before = recording.messages.length;
      const position = await two.log.append([append(newStream(), -1, anEvent())]);
      expect(recording.messages.slice(before)).toEqual([]);
      double.catchUp();
      await until(() => recording.messages.some((m) => m.kind === 'caught-up' && m.position === position));
      await recording.stop();
      expect(recording.events()).toEqual(await readWholeLog(log, start));
    });

    /** The appending instance's own connections may have been cut too. */
    async function twice(work: () => Promise<Position>): Promise<Position> {
      const first = await outcome(work());
      return typeof first === 'string' ? first : work();
    }
  });

  it('G7, G9: loses and doubles nothing in a storm of all faults', async () => {
    const random = seededRandom(SEED);
    const start = await endOf();
    const recordings = [record(log, start), record(two.log, start)];
    const acknowledged: string[] = [];
    let storm = true;
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      const { log: on } = writer % 2 === 0 ? one : two;
      for (let revision = -1, stream = newStream(); storm;) {
        const events = Array.from({ length: 1 + random.below(2) }, () => anEvent());
        const appends: StreamAppend[] = [append(stream, revision, ...events)];
        if (random.below(3) === 0) appends.push(append(newStream(), -1, anEvent()));
        const result = await outcome(on.append(appends));
        if (typeof result === 'string') {
          acknowledged.push(...appends.flatMap((one) => one.events.map(({ id }) => id)));
          revision += events.length;
        } else {
          expect(result).toMatchObject(UNAVAILABLE);
          [stream, revision] = [newStream(), -1];
        }
      }
    });
    const faults: (() => unknown)[] = [
      () => double.disconnectAll(),
      () => double.muteSubscriptions(),
      () => double.fallBehind(),
      () => double.faults.answerCommittedAppends('unavailable', 3),
      () => double.faults.answerCommittedAppends('nothing', 2),
      () => double.faults.loseAppends('unavailable', 3),
      () => double.freeze(),
      () => double.stop(),
      () => (double.faults.refuse = true),
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      await random.pick(faults)();
      const [before, began] = [acknowledged.length, performance.now()];
      const lasts = 50 + random.below(400);
      await until(() => performance.now() - began > lasts);
      double.faults.refuse = false;
      double.thaw();
      double.catchUp();
      await double.restart();
      await until(() => acknowledged.length > before + 20, 10_000);
    }
    storm = false;
    await Promise.all(writers);
    const whole = await readWholeLog(log, start);
    const ids = whole.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const written = new Set(ids);
    expect(acknowledged.filter((id) => !written.has(id))).toEqual([]);
    for (const recording of recordings) {
      await until(() => recording.events().length >= whole.length, 10_000);
      await recording.stop();
      expect(recording.events().map(({ position }) => position)).toEqual(
        whole.map(({ position }) => position),
      );
    }
  }, 120_000);

  it('G2: a barrier waits for what a slow subscription still owes', async () => {
    const { cursor } = await one.revocations.barrier('');
    double.faults.deliveryDelayMs = 200;
    const event = aRevocation();
    await two.log.append([append(newStream(), -1, event)]);
    const page = await one.revocations.barrier(cursor);
    expect(page.events.map((shown) => shown.event.id)).toEqual([event.id]);
  });

  it('G2: a barrier fails when its subscription is half-open, and one soon after does not', async () => {
    const { cursor } = await one.revocations.barrier('');
    double.muteSubscriptions();
    const event = aRevocation();
    await two.log.append([append(newStream(), -1, event)]);
    expect(await outcome(one.revocations.barrier(cursor))).toMatchObject(UNAVAILABLE);
    await until(async () => {
      const page = await one.revocations.barrier(cursor).catch(() => undefined);
      return page?.events.some((shown) => shown.event.id === event.id) ?? false;
    });
  });

  it('takes no snapshot for one ahead of its stream that both have grown after the stream was read', async () => {
    const stream = newStream();
    await log.append([append(stream, -1, anEvent())]);
    const alarms: unknown[] = [];
    const discarded: unknown[] = [];
    const racing = new KurrentEventLog({
      url: double.url,
      onAlarm: (alarm) => alarms.push(alarm),
      snapshots: {
        load: async (_, format) => {
          // Reads of one connection are answered in turn: the tail's own began before this one.
          await racing.readStream(stream);
          await log.append([append(stream, 0, anEvent())]);
          return new Map([[stream, { stream, revision: 1, format, state: {} }]]);
        },
        keep: () => undefined,
        discard: (snapshot) => Promise.resolve(void discarded.push(snapshot)),
      },
    });
    const tail = (await racing.readTails([stream], 'f/1')).get(stream);
    expect(tail).toMatchObject({ revision: 1, events: [], snapshot: { revision: 1 } });
    expect([alarms, discarded]).toEqual([[], []]);
    await racing.close();
  });

  it('G2: a barrier shows every revocation whose append had returned before it began, or fails', async () => {
    const random = seededRandom(SEED + 3);
    let end: RevocationCursor = (await one.revocations.barrier('')).cursor;
    const [returned, seen] = [new Set<string>(), new Set<string>()];
    let failed = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const event = aRevocation();
        const result = await outcome(two.log.append([append(newStream(), -1, event)]));
        if (typeof result === 'string') returned.add(event.id);
      }
    })();
    const faults: (() => unknown)[] = [
      () => double.disconnectAll(),
      () => double.muteSubscriptions(),
      () => double.fallBehind(),
      () => double.faults.answerCommittedAppends('nothing'),
      () => double.freeze(),
      () => double.stop(),
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      await random.pick(faults)();
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const before = [...returned];
        const page = await one.revocations.barrier(end).catch(() => undefined);
        if (page === undefined) failed += 1;
        for (const { event } of page?.events ?? []) seen.add(event.id);
        end = page?.cursor ?? end;
        if (page !== undefined) expect(before.filter((id) => !seen.has(id))).toEqual([]);
      }
      double.thaw();
      double.catchUp();
      await double.restart();
      await until(async () => {
        const page = await one.revocations.barrier(end).catch(() => undefined);
        for (const { event } of page?.events ?? []) seen.add(event.id);
        end = page?.cursor ?? end;
        return page !== undefined;
      }, 10_000);
    }
    writing = false;
    await writer;
    for (const { event } of (await one.revocations.barrier(end)).events) seen.add(event.id);
    expect([...returned].filter((id) => !seen.has(id))).toEqual([]);
    expect(returned.size).toBeGreaterThan(ROUNDS);
    expect(failed).toBeGreaterThan(0);
  }, 120_000);
});
