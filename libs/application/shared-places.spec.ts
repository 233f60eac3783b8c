import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SharedPlaces } from './shared-places.js';

const overloaded = { code: 'ERR_OVERLOADED' };

/** Takes places until the key is refused; each taken one is given back by its entry of `ends`. */
const takeAll = async (places: SharedPlaces, key: string, ends: (() => void)[] = []) => {
  for (let taken = 0; ; taken++) {
    const before = ends.length;
    const run = places.run(key, () => new Promise<void>((resolve) => ends.push(resolve)));
    if (ends.length > before) continue;
    await expect(run).rejects.toMatchObject(overloaded);
    return taken;
  }
};

describe('SharedPlaces', () => {
  it('gives one key three quarters, and the next ones a share of the rest', async () => {
    const places = new SharedPlaces(256);
    expect(await takeAll(places, 'greedy')).toBe(192);
    expect(await takeAll(places, 'second')).toBe(48);
    expect(await takeAll(places, 'third')).toBe(12);
  });

  it('gives a place back when the work is done or has failed', async () => {
    const places = new SharedPlaces(1);
    for (let round = 0; round < 3; round++) {
      expect(await places.run('a', () => Promise.resolve(7))).toBe(7);
      await expect(places.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    }
    const ends: (() => void)[] = [];
    expect(await takeAll(places, 'a', ends)).toBe(1);
    ends.forEach((end) => end());
    await new Promise(setImmediate);
    expect(await takeAll(places, 'b')).toBe(1);
  });

  it('leaves a place for a key that comes new, whatever up to three others hold', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(400)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const places = new SharedPlaces(256);
        for (const [key, ends] of history) {
          const held: (() => void)[] = [];
          await takeAll(places, key, held);
          held.slice(0, ends).forEach((end) => end());
          await new Promise(setImmediate);
        }
        expect(await places.run('new', () => Promise.resolve(true))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
