import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Lease, type Reading } from '../core/lease.js';
import { ManualClocks } from '../core/manual-clocks.double.js';
import type { StreamEnd } from '../watch/grpc-call.js';
import { RenewClient } from './renew-client.js';
import { GOOD_ANSWER, RenewDoorDouble } from './renew-door.double.js';
import type { RenewAnswer } from './renew-messages.js';

const URLS = ['http://a.test', 'http://b.test'];

function startClient({ bound = 2000, watch = URLS.slice(0, 1) } = {}) {
  const clocks = new ManualClocks();
  const door = new RenewDoorDouble();
  const answers: [RenewAnswer, Reading][] = [];
  const failures: [string, StreamEnd][] = [];
  const client = new RenewClient(
    { watch, apiKey: 'key-1', nodeId: 'node-1', bound },
    { clocks, lease: new Lease(clocks, bound), dial: door.dial },
    {
      appliedCursor: () => 'c7',
      onAnswer: (...answer) => answers.push(answer),
      onFailure: (...failure) => failures.push(failure),
    },
  );
  client.start();
  const pass = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= 10) {
      clocks.advance(10);
      await jest.advanceTimersByTimeAsync(10);
    }
  };
  return { client, clocks, door, answers, failures, pass };
}

describe('the client of Renew', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());

  it('says who asks, with the bound and what is applied', () => {
    const { door } = startClient();
    expect(door.last).toMatchObject({
      apiKey: 'key-1',
      ended: true,
      request: { nodeId: 'node-1', boundMs: 2000, appliedCursor: 'c7' },
    });
  });

  it('G2: gives the moment before the call was sent, not that of the answer', async () => {
    const { door, answers, pass, clocks } = startClient();
    const sent = clocks.monotonic();
    await pass(200);
    door.last.answer();
    expect(answers).toEqual([
      [
        {
          barrier: 42n,
          referenceTimeMs: GOOD_ANSWER.referenceTimeMs,
          maxAccessTtlMs: 900_000,
          renewAfterMs: 500,
          stream: { streamId: 's-1', lanes: 4 },
        },
        { monotonic: sent, wall: clocks.wall() - 200 },
      ],
    ]);
  });

  it('keeps its connection, and the pace that the service asks for, from call to call', async () => {
    const { door, pass } = startClient();
    await pass(100);
    door.last.answer({ renewAfterMs: 300 });
    await pass(190);
    expect(door.calls).toHaveLength(1);
    await pass(20);
    expect([door.calls.length, door.dialled.length]).toEqual([2, 1]);
  });

  it('G2: renews three times within B, whatever pace the service asks for', async () => {
    const { door, pass, client } = startClient({ bound: 1500 });
    door.last.answer({ renewAfterMs: 60_000 });
    expect(client.interval).toBe(500);
    await pass(510);
    expect(door.calls).toHaveLength(2);
  });

  it('goes to the next address when there is no answer in time, and takes no late one', async () => {
    const { door, failures, answers, pass } = startClient({ watch: URLS });
    const [late] = door.calls;
    await pass(660);
    expect(failures).toHaveLength(0);
    await pass(100);
    expect(failures).toEqual([[late!.url, { message: 'no answer to a renewal' }]]);
    expect(new Set(door.calls.map(({ url }) => url))).toEqual(new Set(URLS.map((url) => url)));
    late!.answer();
    expect(answers).toEqual([]);
    expect(door.destroyed).toBe(1);
  });

  it('tells the status, and tries again ever more slowly', async () => {
    const { door, failures, clocks, pass } = startClient();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const { length } = door.calls;
      const failedAt = clocks.monotonic();
      door.last.fail(16);
      while (door.calls.length === length) await pass(10);
      waits.push(clocks.monotonic() - failedAt);
    }
    expect(failures[0]).toEqual([URLS[0], { status: 16, message: 'status 16' }]);
    expect(waits[0]).toBeLessThanOrEqual(60);
    expect(waits[7]).toBeGreaterThanOrEqual(500);
    expect(waits[7]).toBeLessThanOrEqual(1010);
  });

  it.each([
    ['no barrier', { barrier: 0 }],
    ['a barrier that a number cannot hold', { barrier: '9007199254740993' }],
    ['no reference time', { referenceTimeMs: 0 }],
    ['no maxAccessTtl', { maxAccessTtlMs: 0 }],
  ])('takes no answer with %s', (_, fields) => {
    const { door, answers, failures } = startClient();
    door.last.answer(fields);
    expect([answers.length, failures[0]?.[1].message]).toEqual([0, 'RangeError: incomplete renewal']);
  });

  it('takes no bytes that are no message', () => {
    const { door, answers, failures } = startClient();
    door.last.raw(Buffer.from([0xff]));
    expect([answers.length, failures.length]).toEqual([0, 1]);
  });

  it('knows when nothing is published to Kafka', () => {
    const { door, answers } = startClient();
    door.last.answer({ streamId: '', lanes: 0 });
    expect(answers[0]?.[0].stream).toBeUndefined();
  });

  it('does nothing more when it is closed', async () => {
    const { client, door, answers, failures, pass } = startClient();
    client.close();
    door.last.answer();
    door.last.fail(14);
    await pass(5000);
    expect([door.calls.length, answers.length, failures.length, door.destroyed]).toEqual([1, 0, 0, 1]);
  });
});
