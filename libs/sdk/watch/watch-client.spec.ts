import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NOW } from '../core/minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from '../core/node-under-test.double.js';

const URLS = ['http://a.test/', 'http://b.test/', 'http://c.test/'];

describe('the watch client', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('says hello without a cursor, then renews at once', () => {
    const node = NodeUnderTest.unanswered({ nodeId: 'node-7' });
    expect(node.watch.last.requests).toEqual([
      { hello: { nodeId: 'node-7', cursor: '', boundMs: 2000, passesOn: false } },
      { renew: { id: 1, applied: 0 } },
    ]);
    expect(node.watch.last).toMatchObject({ url: 'http://watch.test/', apiKey: 'key-1' });
  });

  it('tells with each renewal which one of this stream it has applied, for receipts', async () => {
    const node = await NodeUnderTest.ready();
    await node.pass(1_100);
    const told = (): (readonly [number, number])[] =>
      node.watch.last.requests.flatMap(({ renew }) => (renew ? [[renew.id, renew.applied] as const] : []));
    expect(told()).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    node.watch.answers = false;
    await node.pass(500);
    node.watch.last.renewed(77);
    await node.pass(500);
    expect(told().slice(3)).toEqual([
      [4, 3],
      [5, 3],
    ]);
    // What a stream before it has applied is another instance's affair.
    node.watch.last.end('closed');
    await node.pass(50);
    expect(told()).toEqual([[6, 0]]);
  });

  it('renews when the service says, and at least three times within B', async () => {
    const node = await NodeUnderTest.ready();
    await node.pass(5_000);
    expect(node.watch.last.renewals.length).toBeGreaterThanOrEqual(9);
    node.watch.fields.renewAfterMs = 100;
    await node.pass(1_000);
    const before = node.watch.last.renewals.length;
    await node.pass(1_000);
    expect(node.watch.last.renewals.length - before).toBeGreaterThanOrEqual(6);
    node.watch.fields.renewAfterMs = 4_000_000;
    await node.pass(4_000);
    expect(node.curfew.lease().remainingMs).toBeGreaterThan(500);
    expect(node.watch.streams).toHaveLength(1);
  });

  it('is not driven to flood the service', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.fields.renewAfterMs = 1;
    await node.pass(2_000);
    expect(node.watch.last.renewals.length).toBeLessThan(45);
  });

  it('sends the next renewal whether or not the last one was answered', async () => {
    const node = await NodeUnderTest.ready();
    const { last } = node.watch;
    node.watch.answers = false;
    await node.pass(1_100);
    expect(last.renewals).toEqual([1, 2, 3]);
    last.renewed(2);
    expect(node.curfew.lease().remainingMs).toBeLessThan(1_600);
    last.renewed(3);
    expect(node.curfew.lease().remainingMs).toBeGreaterThan(1_700);
  });

  it('G2: replaces a stream that stays silent, early enough to have another one within B', async () => {
    const node = await NodeUnderTest.ready({ watch: URLS });
    const first = node.watch.last;
    node.watch.answers = false;
    await node.pass(1_600);
    expect(first.destroyed).toBe(true);
    node.watch.answers = true;
    await node.pass(300);
    expect(node.watch.last.url).not.toBe(first.url);
    expect(node.curfew.lease().fresh).toBe(true);
    first.renewed(1);
    first.revoke('sid-1');
    first.end('late');
    expect(node.curfew.stats()).toMatchObject({ denied: 0, connections: 2 });
  });

  it('gives a service that is slow with a whole fleet more time at each attempt, up to four times as much', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.answers = false;
    const lives: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { last } = node.watch;
      const before = node.clocks.monotonic();
      while (!last.destroyed) await node.pass(50);
      lives.push(Math.round((node.clocks.monotonic() - before) / 1_000));
      while (node.watch.last === last) await node.pass(50);
    }
    expect(lives.slice(1)).toEqual([2, 3, 4, 4, 4]);
    node.watch.last.renewed(node.watch.last.renewals.at(-1) ?? 0);
    expect(node.curfew.lease().fresh).toBe(true);
    const { last } = node.watch;
    await node.pass(1_700);
    expect(last.destroyed).toBe(true);
  });

  it('is patient with a long replay, and later with a burst of revocations, though not for ever', async () => {
    const node = NodeUnderTest.unanswered();
    for (let i = 0; i < 20; i += 1) {
      await node.pass(500);
      node.watch.last.revoke(`s${i}`);
    }
    expect(node.watch.streams).toHaveLength(1);
    const { renewals } = node.watch.last;
    node.watch.last.renewed(renewals.at(-1) ?? 0);
    expect(node.curfew.lease().fresh).toBe(true);
    const busyFor = async (milliseconds: number): Promise<void> => {
      for (let passed = 0; passed < milliseconds; passed += 300) {
        await node.pass(300);
        node.watch.last.revoke(`t${passed}`);
      }
    };
    await busyFor(9_000);
    expect(node.watch.streams).toHaveLength(1);
    await busyFor(3_000);
    expect(node.watch.streams.length).toBeGreaterThan(1);
  });

  it('resumes at the last cursor, and goes round the addresses', async () => {
    const node = await NodeUnderTest.ready({ watch: ` ${URLS.join(' , ')} ` });
    await node.pass(600);
    node.watch.fields.cursor = 'c2';
    await node.pass(600);
    node.watch.answers = false;
    for (let i = 0; i < 5; i += 1) {
      node.watch.last.end('closed');
      await node.pass(1_000);
    }
    const urls = node.watch.streams.map(({ url }) => url);
    expect(new Set(urls.slice(0, 3))).toEqual(new Set(URLS));
    expect(urls.slice(3, 6)).toEqual(urls.slice(0, 3));
    expect(node.watch.streams.slice(1).every(({ cursor }) => cursor === 'c2')).toBe(true);
  });

  it('comes back within 50 ms the first time, then more slowly, up to a second', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.answers = false;
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const before = node.watch.streams.length;
      node.watch.last.end('refused', 14);
      let waited = 0;
      for (; node.watch.streams.length === before; waited += 10) await node.pass(10);
      waits.push(waited);
    }
    expect(waits[0]).toBeLessThanOrEqual(60);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_010);
    expect(Math.min(...waits.slice(-3))).toBeGreaterThanOrEqual(500);
  });

  it('gives up a cursor with which the service refuses it', async () => {
    const node = await NodeUnderTest.ready();
    node.watch.answers = false;
    node.watch.last.end('closed');
    await node.pass(100);
    expect(node.watch.last.cursor).toBe('c1');
    node.watch.last.end('unavailable', 14);
    await node.pass(200);
    expect(node.watch.last.cursor).toBe('c1');
    node.watch.last.end('bad cursor', 3);
    await node.pass(400);
    expect(node.watch.last.cursor).toBe('');
  });

  it.each([
    ['bytes that are no message', Buffer.from([0x0b])],
    ['a renewal without maxAccessTtl', { renewed: { id: 1, referenceTimeMs: NOW * 1000 } }],
    ['a renewal without a time', { renewed: { id: 1, maxAccessTtlMs: 900_000 } }],
    ['a time before 1970', { renewed: { id: 1, maxAccessTtlMs: 900_000, referenceTimeMs: -5 } }],
  ])('G2: takes no lease from %s, and connects anew', async (_, message) => {
    const node = NodeUnderTest.unanswered();
    const stream = node.watch.last;
    if (message instanceof Buffer) stream.raw(message);
    else stream.say(message);
    expect(node.curfew.lease().fresh).toBe(false);
    expect(stream.destroyed).toBe(true);
    node.watch.answers = true;
    await node.pass(200);
    expect(node.curfew.lease().fresh).toBe(true);
  });

  it('survives a transport that cannot even begin', async () => {
    const node = new NodeUnderTest({}, ({ watch }) => {
      watch.broken = true;
    });
    await node.pass(500);
    node.watch.broken = false;
    await node.pass(1_000);
    expect(node.curfew.lease().fresh).toBe(true);
  });
});
