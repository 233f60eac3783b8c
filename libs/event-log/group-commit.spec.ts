import { describe, expect, it } from '@jest/globals';
import { GroupCommit, type Outcome } from './group-commit.js';
import { SEED, seededRandom } from './testing/seeded-random.js';

interface Write {
  readonly id: number;
  readonly streams: readonly string[];
  readonly bytes: number;
}

const LIMITS = { maxAppends: 4, maxBytes: 1_000, maxWaitMs: 100 };

/** A lane that answers when it is told to. */
class HeldLane {
  readonly batches: (readonly Write[])[] = [];
  private answer: (() => void) | undefined;

  readonly write = (batch: readonly Write[]): Promise<Outcome<number>[]> =>
    new Promise((resolve) => {
      this.batches.push(batch);
      this.answer = () => resolve(batch.map(({ id }) => ({ value: id })));
    });

  get writing(): boolean {
    return this.answer !== undefined;
  }

  async release(): Promise<void> {
    this.answer?.();
    this.answer = undefined;
    await turn();
  }
}

/** Long enough for a dispatch. */
const turn = async (): Promise<void> => {
  for (let i = 0; i < 3; i += 1) await new Promise(setImmediate);
};
const write = (id: number, ...streams: string[]): Write => ({ id, streams, bytes: 10 });
const idsOf = (lane: HeldLane): number[][] => lane.batches.map((batch) => batch.map(({ id }) => id));

describe(`group commit (SEED=${SEED})`, () => {
  it('sends together what comes in one turn, and what gathers while the lane writes', async () => {
    const lane = new HeldLane();
    const commit = new GroupCommit([lane.write], LIMITS);
    const results = [commit.append(write(1, 'a')), commit.append(write(2, 'b'))];
    await turn();
    results.push(commit.append(write(3, 'c')), commit.append(write(4, 'd')));
    await turn();
    expect(idsOf(lane)).toEqual([[1, 2]]);
    await lane.release();
    await lane.release();
    expect(idsOf(lane)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
  });

  it('keeps to its limits, yet sends a single append of any size', async () => {
    const lane = new HeldLane();
    const commit = new GroupCommit([lane.write], LIMITS);
    const results = [1, 2, 3, 4, 5].map((id) => commit.append(write(id, `s${id}`)));
    results.push(commit.append({ id: 6, streams: ['t'], bytes: 5_000 }));
    for (let i = 0; i < 4; i += 1) {
      await turn();
      await lane.release();
    }
    expect(idsOf(lane)).toEqual([[1, 2, 3, 4], [5], [6]]);
    await Promise.all(results);
  });

  it('never sends two appends of one stream at once, keeps their order, and others overtake', async () => {
    const [one, two] = [new HeldLane(), new HeldLane()];
    const commit = new GroupCommit([one.write, two.write], LIMITS);
    const results = [write(1, 'a'), write(2, 'a', 'b'), write(3, 'b'), write(4, 'c')].map((w) =>
      commit.append(w),
    );
    await turn();
    expect([idsOf(one), idsOf(two)]).toEqual([[[1, 4]], []]);
    await one.release();
    const first = one.batches.length === 2 ? one : two;
    expect(idsOf(first).at(-1)).toEqual([2]);
    await first.release();
    await one.release();
    await two.release();
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
  });

  it('fails what waited too long to be sent, and what follows it goes on', async () => {
    let now = 0;
    const lane = new HeldLane();
    const commit = new GroupCommit([lane.write], LIMITS, () => now);
    const first = commit.append(write(1, 'a'));
    await turn();
    const late = commit.append(write(2, 'b'));
    now = 101;
    const next = commit.append(write(3, 'b'));
    await lane.release();
    await expect(late).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    await turn();
    await lane.release();
    expect(await Promise.all([first, next])).toEqual([1, 3]);
    expect(idsOf(lane)).toEqual([[1], [3]]);
  });

  it('hands each member its own outcome', async () => {
    const commit = new GroupCommit<Write, string>(
      [
        (batch) =>
          Promise.resolve(batch.map(({ id }) => (id === 2 ? { error: new Error('two') } : { value: 'ok' }))),
      ],
      LIMITS,
    );
    const results = await Promise.allSettled([1, 2, 3].map((id) => commit.append(write(id, `s${id}`))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('keeps each stream’s order over any number of lanes and streams', async () => {
    const random = seededRandom(SEED);
    const lanes = [new HeldLane(), new HeldLane(), new HeldLane()];
    const commit = new GroupCommit(
      lanes.map((lane) => lane.write),
      LIMITS,
    );
    const names = ['a', 'b', 'c', 'd', 'e'];
    const done: number[] = [];
    const writes = Array.from({ length: 200 }, (_, id) => {
      const streams = names.filter(() => random.below(3) === 0);
      return write(id, ...(streams.length > 0 ? streams : [random.pick(names)]));
    });
    const results = writes.map((w) => commit.append(w).then((id) => done.push(id)));
    while (done.length < writes.length) {
      await turn();
      const busy = lanes.filter((lane) => lane.writing);
      const underWay = busy.flatMap((lane) => lane.batches.at(-1)!.flatMap(({ streams }) => streams));
      expect(new Set(underWay).size).toBe(underWay.length);
      await random.pick(busy).release();
    }
    await Promise.all(results);
    for (const name of names) {
      const order = done.filter((id) => writes[id]!.streams.includes(name));
      expect(order).toEqual([...order].sort((x, y) => x - y));
    }
  });
});
