import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent, SubscriptionMessage } from '#application';
import { revocationEvent } from '../testing/fake-revocation-log.js';
import { VirtualTimers } from '../testing/virtual-timers.js';
import { SessionEventsPublisher, type EventsProducer } from './session-events-publisher.js';

type Fate = 'ok' | 'refused' | 'unacknowledged' | 'hangs';

function start(events: readonly RecordedEvent[], fates: Fate[] = []) {
  const timers = new VirtualTimers();
  const written: string[] = [];
  const failures: unknown[] = [];
  const abort = new AbortController();
  let read = 0;
  let opened = 0;
  async function* subscribe(after: string, signal: AbortSignal): AsyncGenerator<SubscriptionMessage> {
    for (const event of events.filter(({ position }) => Number(position) > Number(after))) {
      if (signal.aborted) return;
      read = Math.max(read, Number(event.position));
      yield { kind: 'event', event };
    }
    yield { kind: 'caught-up', position: String(events.length) };
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  const open = async (): Promise<EventsProducer> => {
    await timers.sleep(1);
    opened++;
    return {
      send: async (records) => {
        const fate = fates.shift() ?? 'ok';
        await timers.sleep(1);
        if (fate === 'hangs') return new Promise(() => undefined);
        if (fate !== 'refused') written.push(...records.map(({ key }) => key));
        if (fate !== 'ok') throw new Error(fate);
      },
      close: () => undefined,
    };
  };
  const publisher = new SessionEventsPublisher({
    log: { subscribe },
    timers,
    open,
    source: '/spec',
    position: '0',
    onFailure: (error) => failures.push(error),
  });
  const running = publisher.run(abort.signal);
  const stop = async () => {
    abort.abort();
    await timers.advance(6_000);
    await running;
  };
  return { timers, written, failures, publisher, stop, read: () => read, opened: () => opened };
}

const eventsOf = (count: number): RecordedEvent[] =>
  Array.from({ length: count }, (_, i) => revocationEvent(`s${i + 1}`, 'default', i + 1).event);
const sidsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i + 1}`);

describe('the publication of session events', () => {
  it('brings every event in the log’s order, and then stands at the end of the log', async () => {
    const { timers, written, publisher, stop } = start(eventsOf(1_234));
    await timers.advance(200);
    expect(written).toEqual(sidsOf(1_234));
    expect(publisher.position).toBe('1234');
    await stop();
  });

  it.each<Fate>(['refused', 'unacknowledged', 'hangs'])(
    'G9: sends what was %s again on a new producer, and stands still until it is acknowledged',
    async (fate) => {
      const { timers, written, publisher, opened, stop } = start(eventsOf(3), [fate, fate]);
      await timers.advance(20);
      expect(publisher.position).toBe('0');
      await timers.advance(11_000);
      expect(publisher.position).toBe('3');
      expect([...new Set(written)]).toEqual(sidsOf(3));
      expect(opened()).toBe(3);
      await stop();
    },
  );

  it('reads the log no further than a bounded number of events ahead', async () => {
    const { timers, read, stop } = start(eventsOf(5_000), Array<Fate>(100).fill('refused'));
    await timers.advance(3_000);
    expect(read()).toBeLessThanOrEqual(1_001);
    await stop();
  });

  it('stops at an event that this version cannot read: what is before it is published, nothing is skipped', async () => {
    const events = eventsOf(5);
    events[3] = { ...events[3]!, schemaVersion: 99 };
    const { timers, written, publisher, failures, stop } = start(events);
    await timers.advance(3_000);
    expect(written).toEqual(sidsOf(3));
    expect(publisher.position).toBe('3');
    expect(failures.length).toBeGreaterThan(1);
    await stop();
  });
});
