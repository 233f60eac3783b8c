import { describe, expect, it } from '@jest/globals';
import type { RevocationListener } from '#revocation-bus';
import { LowerNodes } from './lower-nodes.js';

function setUp() {
  let now = 0;
  let listener: RevocationListener | undefined;
  const listen = (given: RevocationListener) => {
    listener = given;
    return () => undefined;
  };
  let greetings = 1;
  const nodes = new LowerNodes({ listen, reconnect: () => greetings++ }, 2_000, () => {
    const start = now;
    return () => now - start;
  });
  const answered = (n: bigint, cursor: string): void =>
    listener?.barrierAnswered?.({ n, cursor, referenceTime: 0 });
  const node = (boundMs = 2_000) => nodes.introduce({ nodeId: 'n', tenants: ['*'], via: 'watch', boundMs });
  return { nodes, answered, node, pass: (ms: number) => (now += ms), greetings: () => greetings };
}

describe('the nodes behind a relay, as one report', () => {
  it('has applied what every one of them has', () => {
    const { nodes, answered, node } = setUp();
    answered(1n, 'c1');
    expect(nodes.applied()).toBe(1);
    const [a, b] = [node(), node()];
    expect(nodes.applied()).toBe(0);
    answered(2n, 'c2');
    a.heard('c2');
    b.heard('c1');
    expect(nodes.applied()).toBe(1);
    b.heard('c2');
    expect(nodes.applied()).toBe(2);
    b.heard('of another relay');
    expect(nodes.applied()).toBe(2);
  });

  it('is not held up by one that is silent for longer than its bound: it refuses by itself', () => {
    const { nodes, answered, node, pass } = setUp();
    answered(1n, 'c1');
    const [gone, there] = [node(500), node()];
    there.heard('c1');
    pass(500);
    expect(nodes.applied()).toBe(0);
    pass(1);
    expect(nodes.applied()).toBe(1);
    gone.heard();
    expect(nodes.applied()).toBe(0);
  });

  it('G2: tells upstream the longest bound there is before a node with a longer one than its own gets a lease', () => {
    const { nodes, node, greetings } = setUp();
    node(2_000);
    expect([nodes.bound, greetings()]).toEqual([2_000, 1]);
    node(2_001);
    expect([nodes.bound, greetings()]).toEqual([60_000, 2]);
    node(60_000);
    node(0);
    expect([nodes.bound, greetings()]).toEqual([60_000, 2]);
  });

  it('G2: takes a node that does not tell its bound for one with the longest', () => {
    const { nodes, node, greetings } = setUp();
    node(0);
    expect([nodes.bound, greetings()]).toEqual([60_000, 2]);
  });
});
