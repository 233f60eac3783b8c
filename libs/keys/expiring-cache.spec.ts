import { describe, expect, it } from '@jest/globals';
import { ExpiringCache } from './expiring-cache.js';

describe('an expiring cache', () => {
  const setUp = () => {
    const clock = { now: 0 };
    return { clock, cache: new ExpiringCache<number>({ maxEntries: 2, life: 100, now: () => clock.now }) };
  };

  it('forgets an entry when its life is over, however much it was used', () => {
    const { clock, cache } = setUp();
    cache.set('a', 1);
    for (clock.now = 0; clock.now < 100; clock.now += 10) expect(cache.get('a')).toBe(1);
    expect(cache.get('a')).toBeUndefined();
  });

  it('counts the life from the last set', () => {
    const { clock, cache } = setUp();
    cache.set('a', 1);
    clock.now = 90;
    cache.set('a', 2);
    clock.now = 150;
    expect(cache.get('a')).toBe(2);
  });

  it('drops the least recently used of too many', () => {
    const { cache } = setUp();
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });
});
