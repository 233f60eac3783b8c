import { describe, expect, it } from '@jest/globals';
import { WatchFallback } from './watch-fallback.js';

const PATIENCE = 1200;

function makeFallback() {
  const watches = { opened: 0, open: 0 };
  const told: string[] = [];
  const fallback = new WatchFallback(
    () => ({
      connect: () => {
        watches.opened += 1;
        watches.open += 1;
      },
      close: () => {
        watches.open -= 1;
      },
    }),
    0,
    (change) => told.push(change),
  );
  let now = 0;
  /** Ticks every 100 ms; while Kafka works it renews every 500 ms. */
  const pass = (milliseconds: number, renews: boolean): void => {
    for (const end = now + milliseconds; now < end;) {
      now += 100;
      if (renews && now % 500 === 0) fallback.renewed(now - 200);
      fallback.tick(now, PATIENCE);
    }
  };
  return { fallback, watches, told, pass };
}

describe('Watch beside Kafka', () => {
  it('is not opened while Kafka renews', () => {
    const { watches, pass } = makeFallback();
    pass(60_000, true);
    expect(watches).toEqual({ opened: 0, open: 0 });
  });

  it('leaves the first consumer 5 s to join its group', () => {
    const { watches, pass } = makeFallback();
    pass(5000, false);
    expect(watches.opened).toBe(0);
    pass(200, false);
    expect(watches.open).toBe(1);
  });

  it('is opened when the last renewal is too long ago, and once', () => {
    const { watches, told, pass } = makeFallback();
    pass(10_000, true);
    pass(1000, false);
    expect(watches.opened).toBe(0);
    pass(10_000, false);
    expect([watches, told]).toEqual([{ opened: 1, open: 1 }, ['fallback-opened']]);
  });

  it('is closed when Kafka has renewed for 5 s without a stop, and later each time', () => {
    const { watches, told, pass } = makeFallback();
    pass(10_000, true);
    pass(3000, false);
    pass(4500, true);
    expect(watches.open).toBe(1);
    pass(1500, true);
    expect([watches.open, told]).toEqual([0, ['fallback-opened', 'fallback-closed']]);
    pass(3000, false);
    pass(7000, true);
    expect(watches.open).toBe(1);
    pass(4000, true);
    expect(watches).toEqual({ opened: 2, open: 0 });
  });

  it('is not closed by renewals that stop again', () => {
    const { watches, pass } = makeFallback();
    pass(10_000, true);
    for (let round = 0; round < 10; round += 1) {
      pass(2000, false);
      pass(3000, true);
    }
    expect(watches).toEqual({ opened: 1, open: 1 });
  });

  it('ends with its node', () => {
    const { fallback, watches, pass } = makeFallback();
    pass(6000, false);
    fallback.close();
    expect(watches.open).toBe(0);
  });
});
