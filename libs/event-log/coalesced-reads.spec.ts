import { describe, expect, it } from '@jest/globals';
import { CoalescedReads } from './coalesced-reads.js';

interface Load {
  readonly keys: readonly string[];
  answer(values: Record<string, number>): void;
  fail(error: Error): void;
}

function reads(limits = { maxLoads: 1, maxKeys: 3 }) {
  const loads: Load[] = [];
  const coalesced = new CoalescedReads<number>(
    (keys) =>
      new Promise((resolve, reject) => {
        loads.push({ keys, answer: (values) => resolve(new Map(Object.entries(values))), fail: reject });
      }),
    limits,
  );
  return { coalesced, loads };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('coalesced reads', () => {
  it('loads once what is asked for together, and a key once', async () => {
    const { coalesced, loads } = reads();
    const asked = Promise.all(['a', 'b', 'a', 'c'].map((key) => coalesced.read(key)));
    await turn();
    expect(loads.map(({ keys }) => keys)).toEqual([['a', 'b', 'c']]);
    loads[0]?.answer({ a: 1, b: 2 });
    expect(await asked).toEqual([1, 2, 1, undefined]);
  });

  it('never joins a load that has begun: it may have read before the write that this read has to see', async () => {
    const { coalesced, loads } = reads();
    const early = coalesced.read('a');
    await turn();
    const late = coalesced.read('a');
    await turn();
    expect(loads).toHaveLength(1);
    loads[0]?.answer({ a: 1 });
    expect(await early).toBe(1);
    await turn();
    loads[1]?.answer({ a: 2 });
    expect(await late).toBe(2);
  });

  it('cuts what is too much for one load', async () => {
    const { coalesced, loads } = reads({ maxLoads: 2, maxKeys: 2 });
    const asked = Promise.all(['a', 'b', 'c'].map((key) => coalesced.read(key)));
    await turn();
    expect(loads.map(({ keys }) => keys)).toEqual([['a', 'b'], ['c']]);
    loads[1]?.answer({ c: 3 });
    loads[0]?.answer({ a: 1, b: 2 });
    expect(await asked).toEqual([1, 2, 3]);
  });

  it('a failed load fails its readers and nobody else', async () => {
    const { coalesced, loads } = reads();
    const failing = coalesced.read('a').catch((error: Error) => error.message);
    await turn();
    const next = coalesced.read('b');
    loads[0]?.fail(new Error('gone'));
    expect(await failing).toBe('gone');
    await turn();
    loads[1]?.answer({ b: 2 });
    expect(await next).toBe(2);
  });
});
