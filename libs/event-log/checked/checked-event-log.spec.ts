import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { NewEvent, StreamSnapshot, SubscriptionMessage } from '#application';
import { MemoryEventLog } from '../memory/memory-event-log.js';
import { MemoryRevocationLog } from '../memory/memory-revocation-log.js';
import { append } from '../testing/appends.js';
import { CheckedEventLog } from './checked-event-log.js';
import { CheckedRevocationLog } from './checked-revocation-log.js';

const AT = 1_800_000_000_000;
const HASH = 'bth4Rt7f2wzoPP2f08j5JOPdhiGSaP_qRLda9KcMZBU';
const SECRET = 'not-a-hash';

const event = (type: string, schemaVersion: number, data: Record<string, unknown>): NewEvent => ({
  id: randomUUID(),
  type,
  schemaVersion,
  data,
  metadata: {
    recordedAt: AT,
    actor: { kind: 'system', id: 'test' },
    initiator: 'system',
    tenant: 'acme',
    correlationId: 'call-1',
  },
});

const created = {
  sub: 'user-42',
  tenant: 'acme',
  client: 'web',
  roles: [],
  authTime: AT / 1_000,
  policy: { accessTtl: 300_000, idleTimeout: 1_000_000, absoluteTimeout: 2_000_000, reuseGrace: 0 },
  macKeyId: 1,
  secretHash: HASH,
  at: AT,
  accessExp: AT / 1_000 + 300,
};
const rotated = {
  gen: 1,
  secretHash: HASH,
  salt: HASH,
  pepperId: 1,
  macKeyId: 1,
  at: AT,
  supersededAt: AT,
  accessExp: AT / 1_000 + 300,
};
const revoked = { sub: 'user-42', tenant: 'acme', reason: 'admin', initiator: 'admin', at: AT };

/** A log that an earlier release wrote, behind the checks. */
async function olderLog() {
  const inner = new MemoryEventLog();
  await inner.append([
    append(
      'session-old',
      -1,
      event('session.created', 1, created),
      event('session.rotated', 1, rotated),
      event('session.revoked', 1, revoked),
    ),
  ]);
  return { inner, log: new CheckedEventLog(inner) };
}

const READ = [
  ['session.created', 2, { ...created, ep: [0, 0, 0, 0] }],
  ['session.rotated', 2, rotated],
  ['session.revoked', 1, revoked],
];
const shapesOf = (events: readonly NewEvent[]) =>
  events.map(({ type, schemaVersion, data }) => [type, schemaVersion, data]);

/** A log with one event that a later release wrote. */
async function newerLog() {
  const inner = new MemoryEventLog();
  await inner.append([append('session-new', -1, event('session.created', 3, { sub: SECRET }))]);
  return new CheckedEventLog(inner);
}

describe('the checked log, appending', () => {
  it('appends what fits, and reads it as it was', async () => {
    const log = new CheckedEventLog(new MemoryEventLog());
    const events = [
      event('session.created', 2, { ...created, ep: [0, 1, 2, 3] }),
      event('session.rotated', 2, rotated),
    ];
    const position = await log.append([append('session-a', -1, ...events)]);
    const slice = await log.readStream('session-a');
    expect(slice.events.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(shapesOf(slice.events)).toEqual(shapesOf(events));
    expect(slice.events.at(-1)?.position).toBe(position);
  });

  it.each([
    [
      'data that does not fit',
      event('session.rotated', 2, { ...rotated, salt: SECRET }),
      'session.rotated v2',
    ],
    [
      'an older version',
      event('session.rotated', 1, rotated),
      'session.rotated is appended as v2, not as v1',
    ],
    ['a version that there is not', event('session.rotated', 3, rotated), 'as v2, not as v3'],
    ['a type that there is not', event('session.unheard-of', 1, { SECRET }), 'session.unheard-of v1'],
    [
      'metadata that does not fit',
      { ...event('session.rotated', 2, rotated), metadata: { tenant: SECRET } } as unknown as NewEvent,
      'the metadata of event session.rotated',
    ],
  ])('refuses %s, and then writes nothing at all', async (_what, wrong, message) => {
    const inner = new MemoryEventLog();
    const log = new CheckedEventLog(inner);
    const good = append('session-a', -1, event('session.revoked', 1, revoked));
    const error: Error = await log.append([good, append('session-b', -1, wrong)]).then(
      () => new Error('appended'),
      (cause: Error) => cause,
    );
    expect(error.message).toContain(message);
    expect(error.message).not.toContain(SECRET);
    expect((await inner.readAll('', 10)).events).toEqual([]);
  });
});

describe('the checked log, reading what an earlier release wrote', () => {
  it('readStream', async () => {
    const { log } = await olderLog();
    const slice = await log.readStream('session-old', { from: 0, max: 2 });
    expect(shapesOf(slice.events)).toEqual(READ.slice(0, 2));
    expect(slice.revision).toBe(2);
  });

  it('readStreams', async () => {
    const { log } = await olderLog();
    const slices = await log.readStreams(['session-old', 'session-none']);
    expect(shapesOf(slices.get('session-old')!.events)).toEqual(READ);
    expect(slices.get('session-none')).toEqual({ events: [], revision: -1 });
  });

  it('readTails, with the snapshot as it was kept', async () => {
    const { log } = await olderLog();
    const snapshot: StreamSnapshot = { stream: 'session-old', revision: 0, format: 'f', state: { gen: 0 } };
    log.keepSnapshot(snapshot);
    const tails = await log.readTails(['session-old'], 'f');
    const tail = tails.get('session-old')!;
    expect(tail).toMatchObject({ snapshot, revision: 2 });
    expect(shapesOf(tail.events)).toEqual(READ.slice(1));
    const other = await log.readTails(['session-old'], 'another format');
    expect(shapesOf(other.get('session-old')!.events)).toEqual(READ);
  });

  it('readAll', async () => {
    const { inner, log } = await olderLog();
    const page = await log.readAll('', 2);
    const { position, caughtUp } = await inner.readAll('', 2);
    expect(page).toMatchObject({ position, caughtUp });
    expect(shapesOf(page.events)).toEqual(READ.slice(0, 2));
  });

  it('subscribe, which ends with its signal', async () => {
    const { log } = await olderLog();
    const stop = new AbortController();
    const messages: SubscriptionMessage[] = [];
    for await (const message of log.subscribe('', stop.signal)) {
      messages.push(message);
      if (message.kind === 'caught-up') stop.abort();
    }
    expect(messages.map(({ kind }) => kind)).toEqual(['event', 'event', 'event', 'caught-up']);
    expect(
      shapesOf(messages.flatMap((message) => (message.kind === 'event' ? [message.event] : []))),
    ).toEqual(READ);
  });

  it('revocations', async () => {
    const { inner } = await olderLog();
    await inner.append([append('session-x', -1, event('session.revoked', 2, revoked))]);
    const plain = new MemoryRevocationLog(inner);
    const log = new CheckedRevocationLog(plain);
    expect((await plain.read('')).events).toHaveLength(2);
    await expect(log.read('')).rejects.toThrow('cannot read the event session.revoked v2');
    await expect(log.barrier('')).rejects.toThrow('cannot read the event session.revoked v2');
  });
});

describe('the checked log, reading what a later release wrote', () => {
  const stops = 'cannot read the event session.created v3';

  it('stops, on every way to read', async () => {
    const log = await newerLog();
    await expect(log.readStream('session-new')).rejects.toThrow(stops);
    await expect(log.readStreams(['session-new'])).rejects.toThrow(stops);
    await expect(log.readAll('', 10)).rejects.toThrow(stops);
    const subscription = log.subscribe('', new AbortController().signal)[Symbol.asyncIterator]();
    await expect(subscription.next()).rejects.toThrow(stops);
  });
});

describe('the checked revocation log', () => {
  it('passes everything else through', async () => {
    const inner = new MemoryEventLog();
    const plain = new MemoryRevocationLog(inner);
    const log = new CheckedRevocationLog(plain);
    let woken = 0;
    const stop = log.onAppended(() => (woken += 1));
    await inner.append([append('session-a', -1, event('session.revoked', 1, revoked))]);
    expect(woken).toBe(1);
    stop();
    const barrier = await log.barrier('');
    expect(barrier.n).toBe(1n);
    expect(shapesOf(barrier.events.map((found) => found.event))).toEqual([['session.revoked', 1, revoked]]);
    expect(log.isCursor(barrier.cursor)).toBe(true);
    expect(log.isCursor('no cursor')).toBe(false);
    expect(log.shows(barrier.cursor, barrier.events[0]!.mark)).toBe(true);
    await log.rememberCursor(barrier.cursor, barrier.referenceTime, 60_000);
    expect(await log.cursorBefore(0)).toBe(barrier.cursor);
    expect((await log.read(barrier.cursor)).events).toEqual([]);
  });
});
