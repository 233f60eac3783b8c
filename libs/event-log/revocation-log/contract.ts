import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventLog, RevocationCursor, RevocationEvent, RevocationLog } from '#application';
import { anEvent, append, aRevocation, newStream } from '../testing/appends.js';
import { SEED, seededRandom } from '../testing/seeded-random.js';
import { until } from '../testing/until.js';

export interface RevocationLogUnderTest {
  readonly log: EventLog;
  readonly revocations: RevocationLog;
  /** Another instance's, on the same store. */
  readonly others: RevocationLog;
  /** Some cursor of this store; of two, the one of the higher number is later. */
  readonly cursorAt: (number: number) => RevocationCursor;
  close(): Promise<void>;
}

const ids = (events: readonly RevocationEvent[]): string[] => events.map(({ event }) => event.id);

/** What every adapter of `RevocationLog` does. `open` gives an empty log. */
export function revocationLogContract(name: string, open: () => Promise<RevocationLogUnderTest>): void {
  describe(`revocation log: ${name} (SEED=${SEED})`, () => {
    let tested: RevocationLogUnderTest;
    let log: EventLog;
    let revocations: RevocationLog;
    let others: RevocationLog;
    let end: RevocationCursor;
    beforeAll(async () => {
      tested = await open();
      ({ log, revocations, others } = tested);
      end = await revocations.cursorBefore(0);
    });
    afterAll(() => tested.close());

    /** Moves on to the end of the log. */
    const skip = async (): Promise<void> => {
      end = (await revocations.barrier(end)).cursor;
    };
    const revoke = async (): Promise<string> => {
      const event = aRevocation();
      await log.append([append(newStream(), -1, anEvent('session.created'), event)]);
      return event.id;
    };

    it('begins with everything when no cursor is stored', async () => {
      const id = await revoke();
      expect(ids((await revocations.read(end)).events)).toEqual([id]);
      expect(ids((await revocations.read('')).events)).toEqual([id]);
    });

    it('reads the revocations that a cursor has not shown, whole, and nothing else', async () => {
      await skip();
      const stream = newStream();
      const revoked = aRevocation({ reason: 'admin' });
      await log.append([append(stream, -1, anEvent('session.created'), anEvent(), revoked)]);
      const page = await revocations.read(end);
      expect(page.events).toMatchObject([{ event: { ...revoked, stream, revision: 2 } }]);
      expect(page.events[0]!.event).toEqual((await log.readStream(stream)).events[2]);

      const next = await revocations.barrier(page.cursor);
      expect(next.events).toEqual([]);
      expect((await revocations.read(next.cursor)).events).toEqual([]);
    });

    it('G5: reads mass revocations beside those of single sessions', async () => {
      await skip();
      const mass = anEvent('scope.revoked', { kind: 'tenant', epoch: 1 });
      await log.append([append(newStream(), -1, mass)]);
      const single = await revoke();
      expect(ids((await revocations.read(end)).events).sort()).toEqual([mass.id, single].sort());
    });

    it('resumes on any instance with the cursor of another', async () => {
      await skip();
      const cursor = (await others.barrier(end)).cursor;
      const id = await revoke();
      expect(ids((await revocations.read(cursor)).events)).toEqual([id]);
      expect(ids((await others.read(end)).events)).toEqual([id]);
    });

    it('tells whether a cursor had shown an event', async () => {
      await skip();
      const before = end;
      await revoke();
      const page = await revocations.barrier(before);
      const { mark } = page.events[0]!;
      expect(revocations.shows(before, mark)).toBe(false);
      expect(revocations.shows(page.cursor, mark)).toBe(true);
      expect(revocations.shows('', mark)).toBe(false);
      expect(others.shows(page.cursor, mark)).toBe(true);
    });

    it('knows its cursors', async () => {
      const { cursor } = await revocations.barrier(end);
      expect(others.isCursor(cursor)).toBe(true);
      for (const text of ['', '0', 'nonsense', `${cursor}x`, ` ${cursor}`, '5:1:', '1:9:9', "1:1:'"]) {
        expect([text, revocations.isCursor(text)]).toEqual([text, false]);
      }
      await expect(revocations.read('nonsense')).rejects.toThrow(RangeError);
    });

    it('numbers barriers upwards over all instances, and their time never goes back', async () => {
      const answers = [];
      for (let i = 0; i < 20; i += 1) answers.push(await (i % 2 ? revocations : others).barrier(end));
      for (let i = 1; i < answers.length; i += 1) {
        expect(answers[i]!.n > answers[i - 1]!.n).toBe(true);
        expect(answers[i]!.referenceTime).toBeGreaterThanOrEqual(answers[i - 1]!.referenceTime);
      }
      const concurrent = await Promise.all([revocations.barrier(end), others.barrier(end)]);
      expect(concurrent[0].n).not.toBe(concurrent[1].n);
    });

    it('G2: a barrier’s read shows every revocation whose append had returned before it began', async () => {
      const random = seededRandom(SEED + 2);
      await skip();
      const returned = new Set<string>();
      const seen = new Set<string>();
      let writing = true;
      const writers = Array.from({ length: 6 }, async () => {
        while (writing) {
          returned.add(await revoke());
          for (let pause = random.below(4); pause > 0; pause -= 1) await new Promise(setImmediate);
        }
      });
      for (let round = 0; round < 100; round += 1) {
        const before = new Set(returned);
        const page = random.below(4) === 0 ? await revocations.read(end) : await revocations.barrier(end);
        for (const id of ids(page.events)) seen.add(id);
        end = page.cursor;
        if ('n' in page) expect([...before].filter((id) => !seen.has(id))).toEqual([]);
      }
      writing = false;
      await Promise.all(writers);
      for (const id of ids((await revocations.barrier(end)).events)) seen.add(id);
      expect([...returned].filter((id) => !seen.has(id))).toEqual([]);
      expect(seen.size).toBe(returned.size);
    });

    it('finds the newest cursor that is old enough, and keeps it when others are pruned', async () => {
      const { referenceTime, cursor } = await revocations.barrier(end);
      const { cursorAt } = tested;
      const at = (agoMs: number, number: number): Promise<void> =>
        revocations.rememberCursor(cursorAt(number), referenceTime - agoMs, 1_000_000);
      await at(900_000, 11);
      await at(600_000, 12);
      await at(300_000, 13);
      expect(await others.cursorBefore(200_000)).toBe(cursorAt(13));
      expect(await others.cursorBefore(500_000)).toBe(cursorAt(12));
      expect(await others.cursorBefore(899_000)).toBe(cursorAt(11));
      const beginning = await others.cursorBefore(2_000_000);
      expect((await others.read(beginning)).events.length).toBeGreaterThan(5);

      await others.rememberCursor(cursor, referenceTime, 400_000);
      expect(await revocations.cursorBefore(500_000)).toBe(cursorAt(12));
      expect(await revocations.cursorBefore(700_000)).toBe(beginning);
    });

    it('wakes when a revocation was appended, until it is stopped', async () => {
      let woken = 0;
      let othersWoken = 0;
      const stops = [revocations.onAppended(() => woken++), others.onAppended(() => othersWoken++)];
      await until(async () => {
        await revoke();
        return woken > 0 && othersWoken > 0;
      });
      for (const stop of stops) stop();
      const [before, othersBefore] = [woken, othersWoken];
      await revoke();
      expect([woken, othersWoken]).toEqual([before, othersBefore]);
    });

    it('refuses calls that overlap', async () => {
      const [first, ...overlapping] = await Promise.allSettled([
        revocations.barrier(end),
        revocations.read(end),
        revocations.barrier(end),
      ]);
      expect(first.status).toBe('fulfilled');
      for (const refused of overlapping) {
        expect(refused).toMatchObject({
          status: 'rejected',
          reason: { message: expect.stringContaining('overlap') },
        });
      }
      await revocations.read(end);
    });
  });
}
