import { describe, expect, it } from '@jest/globals';
import type { LogPage, Position, RecordedEvent } from '#application';
import { anEvent } from '../testing/appends.js';
import { KurrentLogMeasure } from './kurrent-log-measure.js';
import { toPosition } from './kurrent-position.js';

const at = (commit: number): Position => toPosition({ commit: BigInt(commit), prepare: BigInt(commit) });

/** A log with an event at each of the positions, and how much of it was read. */
class FakeLog {
  readonly events: RecordedEvent[] = [];
  readonly reads: Position[] = [];
  last = 0;

  add(position: number): void {
    const event = anEvent();
    const metadata = { ...event.metadata, recordedAt: position };
    this.events.push({
      ...event,
      metadata,
      stream: 's',
      revision: this.events.length,
      position: at(position),
    });
    this.last = position;
  }

  readAll(after: Position, max: number): Promise<LogPage> {
    this.reads.push(after);
    const events = this.events.filter(({ position }) => position > after).slice(0, max);
    return Promise.resolve({
      events,
      position: events.at(-1)?.position ?? after,
      caughtUp: events.length < max,
    });
  }

  readNewest(max: number): Promise<readonly RecordedEvent[]> {
    return Promise.resolve(this.events.slice(-max).reverse());
  }

  end(): Promise<Position> {
    return Promise.resolve(this.last === 0 ? '' : at(this.last));
  }
}

describe('measure of a log on KurrentDB', () => {
  it('tells the newest event, and looks only through what came since', async () => {
    const log = new FakeLog();
    const measure = new KurrentLogMeasure(log);
    expect(await measure.newest()).toBeUndefined();
    log.add(100);
    expect(await measure.newest()).toEqual({ position: at(100), recordedAt: 100 });
    log.last = 5_000;
    expect(await measure.newest()).toEqual({ position: at(100), recordedAt: 100 });
    log.add(6_000);
    expect(await measure.newest()).toEqual({ position: at(6_000), recordedAt: 6_000 });
    expect(log.reads).toEqual([at(100), at(5_000)]);
  });

  it('counts what is after a position, and no more than asked for', async () => {
    const log = new FakeLog();
    for (let i = 1; i <= 2_500; i += 1) log.add(i * 10);
    const measure = new KurrentLogMeasure(log);
    expect(await measure.countAfter('', 10_000)).toBe(2_500);
    expect(await measure.countAfter(at(10_000), 10_000)).toBe(1_500);
    expect(await measure.countAfter('', 1_700)).toBe(1_700);
    expect(await measure.countAfter(at(25_000), 5)).toBe(0);
  });

  it('estimates how many events there are', async () => {
    const log = new FakeLog();
    expect(await new KurrentLogMeasure(log).size()).toBe(0);
    for (let i = 1; i <= 100; i += 1) log.add(i * 10);
    expect(await new KurrentLogMeasure(log).size()).toBe(100);
    for (let i = 101; i <= 5_000; i += 1) log.add(i * 10);
    expect(await new KurrentLogMeasure(log).size()).toBe(5_000);
  });
});
