import { describe, expect, it } from '@jest/globals';
import { ConcurrencyConflict, type NewEvent } from '#application';
import { CurfewError } from '#contracts';
import { anEvent, append } from '../testing/appends.js';
import { KurrentAppender } from './kurrent-appender.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { toPosition } from './kurrent-position.js';
import { toKurrentEvent, type KurrentEvent } from './recorded-event.js';

/** The event as the first one of a stream. */
const stored = (event: NewEvent): KurrentEvent => ({
  ...toKurrentEvent(event),
  id: event.id,
  streamId: 'a',
  revision: 0n,
  position: { commit: 9n, prepare: 9n },
});

/** Nobody hears what becomes of an append. */
const silent = {
  call: () => Promise.reject(new CurfewError('ERR_UNAVAILABLE')),
} as unknown as KurrentConnection;

/** Answers reads one after the other; a look at one stream is two reads, of the events and of the head. */
const reading = (...answers: readonly (readonly KurrentEvent[])[]): KurrentConnection => {
  const left = [...answers];
  return { call: () => Promise.resolve(left.shift() ?? answers.at(-1)) } as unknown as KurrentConnection;
};

describe('an append whose outcome is unknown', () => {
  const own = anEvent();

  it('G9: is told as written when it came in between the two reads that look for it', async () => {
    const reads = reading([], [stored(own)], [stored(own)], [stored(own)]);
    const position = await new KurrentAppender(silent, reads).append([append('a', -1, own)]);
    expect(position).toBe(toPosition({ commit: 9n, prepare: 9n }));
  });

  it('is a conflict when another event stands where it would be', async () => {
    const reads = reading([stored(anEvent())]);
    const outcome = new KurrentAppender(silent, reads).append([append('a', -1, own)]);
    await expect(outcome).rejects.toBeInstanceOf(ConcurrencyConflict);
  });

  it('stays unknown while nothing is there', async () => {
    const outcome = new KurrentAppender(silent, reading([])).append([append('a', -1, own)]);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });
});
