import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimsOf } from './minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';
import { json } from './rest-door.double.js';

/** A node whose lease is `age` old and is not renewed any more. */
async function aged(age: number, options = {}): Promise<NodeUnderTest> {
  const node = await NodeUnderTest.ready({ onStale: 'reject', ...options });
  node.watch.answers = false;
  await node.pass(age - node.curfew.stats().leaseAgeMs);
  expect(node.curfew.stats().leaseAgeMs).toBe(age);
  return node;
}

async function verdict(node: NodeUnderTest, token: string, maxStaleness: number): Promise<string> {
  return node.curfew.verify(token, { maxStaleness }).then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );
}

describe('verify with maxStaleness', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('G2: memory decides about hits and misses only while it is younger than that', async () => {
    const node = await aged(599);
    const known = node.key.token();
    expect(await verdict(node, known, 600)).toBe('accepted');
    await node.pass(1);
    for (const token of [known, node.key.token({ sid: 'sid-2' })]) {
      expect(await verdict(node, token, 600)).toBe('ERR_STALE');
      expect(await verdict(node, token, 601)).toBe('accepted');
      expect(await node.verdict(token)).toBe('accepted');
    }
  });

  it('G2: counts the age that a relay told', async () => {
    const node = await NodeUnderTest.ready({ onStale: 'reject' }, ({ watch }) => {
      watch.fields.ageMs = 700;
    });
    const token = node.key.token();
    expect(node.curfew.stats().leaseAgeMs).toBe(700);
    expect(await verdict(node, token, 700)).toBe('ERR_STALE');
    expect(await verdict(node, token, 701)).toBe('accepted');
  });

  it('G2: is looked at last, after the signature check', async () => {
    const node = await aged(300);
    const wall = node.clocks.wall.bind(node.clocks);
    let reads = 0;
    node.clocks.wall = () => {
      // After the first look at the lease the process stands still for half a second.
      if ((reads += 1) === 2) node.clocks.advance(500);
      return wall();
    };
    expect(await verdict(node, node.key.token(), 600)).toBe('ERR_STALE');
    expect(await node.verdict(node.key.token())).toBe('accepted');
  });

  it('G2: holds for introspection: an answer counts until it is as old, then the service is asked again', async () => {
    const node = await aged(1_000, { onStale: 'introspect' });
    const token = node.key.token();
    let calls = 0;
    let age = '200';
    node.rest.introspect = () => {
      calls += 1;
      return json({ active: true, ...claimsOf({}) }, { headers: { 'curfew-barrier-age': age } });
    };
    expect(await verdict(node, token, 500)).toBe('accepted');
    node.clocks.advance(299);
    expect(await verdict(node, token, 500)).toBe('accepted');
    expect(calls).toBe(1);
    node.clocks.advance(1);
    expect(await verdict(node, token, 500)).toBe('accepted');
    expect(calls).toBe(2);
    age = '500';
    node.clocks.advance(300);
    expect(await verdict(node, token, 500)).toBe('ERR_STALE');
    expect(await node.verdict(token)).toBe('accepted');
    expect(calls).toBe(3);
  });

  it('G2: who joins a call that was sent before asks again if the answer is too old for them', async () => {
    const node = await aged(1_000, { onStale: 'introspect' });
    const token = node.key.token();
    const answers: (() => void)[] = [];
    node.rest.introspect = () =>
      new Promise((resolve) => {
        const init = { headers: { 'curfew-barrier-age': '0' } };
        answers.push(() => resolve(json({ active: true, ...claimsOf({}) }, init)));
      });
    const first = verdict(node, token, 900);
    node.clocks.advance(400);
    const second = verdict(node, token, 350);
    answers[0]?.();
    expect(await first).toBe('accepted');
    while (answers.length < 2) await node.pass(1);
    answers[1]?.();
    expect(await second).toBe('accepted');
  });

  it.each([249, 2_001, 500.5, NaN, '500'])('refuses %p as none, by name', async (maxStaleness) => {
    const node = await NodeUnderTest.ready();
    await expect(
      node.curfew.verify(node.key.token(), { maxStaleness: maxStaleness as number }),
    ).rejects.toMatchObject({ code: 'ERR_CONFIG', field: 'maxStaleness' });
  });

  it('tells nobody that the node is stale when only this call is', async () => {
    const node = await aged(1_000);
    expect(await verdict(node, node.key.token(), 500)).toBe('ERR_STALE');
    await node.pass(1);
    expect(node.kinds()).not.toContain('stale');
    expect(node.curfew.stats()).toMatchObject({ stale: 1, staleUnavailable: 1 });
  });
});
