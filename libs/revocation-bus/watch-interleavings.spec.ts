import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  FakeRevocationLog,
  FakeRevocationStore,
  type FakeTransaction,
} from './testing/fake-revocation-log.js';
import { Instance } from './testing/instance.js';
import { VirtualTimers } from './testing/virtual-timers.js';
import { WatchingNode } from './testing/watching-node.js';

const INSTANCES = 2;
const NODES = 3;

type Action =
  | { readonly do: 'revoke' | 'begin' | 'commit' | 'wake' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fail'; readonly instance: number; readonly failing: boolean }
  | { readonly do: 'renew' | 'restart'; readonly node: number; readonly instance: number }
  | {
      readonly do: 'resume' | 'drain';
      readonly node: number;
      readonly instance: number;
      readonly room: number;
    };

const node = fc.nat(NODES - 1);
const instance = fc.nat(INSTANCES - 1);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('revoke', 'begin', 'commit', 'wake') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.oneof(fc.nat(6), fc.nat(80)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail'), instance, failing: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('renew'), node, instance }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart'), node, instance }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('resume', 'drain'),
      node,
      instance,
      room: fc.constantFrom(1, 3, Infinity),
    }),
  },
);

/** A node as the SDK is one: it keeps what it heard over reconnects, and checks each answer against what it must know. */
class CheckedNode {
  private readonly known = new Set<string>();
  private readonly required = new Map<string, readonly string[]>();
  private cursor: string | undefined;
  private ids = 0;
  /** Kept, since an error thrown into the hub only cuts the stream. */
  private tooEarly: string[] = [];
  readonly node = new WatchingNode();

  constructor() {
    this.node.onMessage = (message) => {
      if ('revocation' in message) {
        if (message.revocation.scope === 'session') this.known.add(message.revocation.sid);
        return;
      }
      const { id, cursor } = message.renewed;
      this.tooEarly.push(...this.missing(this.required.get(id) ?? ['answered, but never asked']));
      this.cursor = cursor;
    };
  }

  connect(instance: Instance, room: number): void {
    this.required.clear();
    this.node.room = room;
    this.node.connect(instance.hub, { cursor: this.cursor });
  }

  restart(instance: Instance): void {
    this.known.clear();
    this.cursor = undefined;
    this.connect(instance, Infinity);
  }

  renew(committed: readonly string[]): string {
    const id = String(++this.ids);
    this.required.set(id, [...committed]);
    this.node.renew(id);
    return id;
  }

  check(committed: readonly string[]): void {
    expect({ tooEarly: this.tooEarly, missing: this.missing(committed) }).toEqual({
      tooEarly: [],
      missing: [],
    });
  }

  private missing(sids: readonly string[]): string[] {
    return sids.filter((sid) => !this.known.has(sid));
  }
}

class World {
  readonly timers = new VirtualTimers();
  readonly nodes = Array.from({ length: NODES }, () => new CheckedNode());
  readonly committed: string[] = [];
  private readonly store = new FakeRevocationStore(this.timers);
  private readonly logs = Array.from({ length: INSTANCES }, () => new FakeRevocationLog(this.store));
  private readonly open: { sid: string; transaction: FakeTransaction }[] = [];
  private sids = 0;
  readonly instances = this.logs.map((log) => new Instance(log, this.timers));

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'revoke':
        this.begin();
        return this.commit(this.open.length - 1);
      case 'begin':
        return this.begin();
      case 'commit':
        return this.commit(0);
      case 'wake':
        return this.logs.forEach((log) => log.wake());
      case 'wait':
        return this.timers.advance(action.ms);
      case 'fail':
        this.logs[action.instance]!.failing = action.failing;
        return;
      case 'renew':
        this.nodes[action.node]!.renew(this.committed);
        return;
      case 'drain':
        return this.nodes[action.node]!.node.drain(action.room);
      case 'restart':
        return this.nodes[action.node]!.restart(this.instances[action.instance]!);
      case 'resume':
        return this.nodes[action.node]!.connect(this.instances[action.instance]!, action.room);
    }
  }

  private begin(): void {
    const sid = `s${this.sids++}`;
    this.open.push({ sid, transaction: this.store.begin(sid) });
  }

  private commit(index: number): void {
    for (const { sid, transaction } of this.open.splice(index, 1)) {
      transaction.commit();
      this.committed.push(sid);
    }
  }

  /** Everything heals: every node hears of every revocation, and its last renewal is answered. */
  async heal(): Promise<void> {
    for (const log of this.logs) log.failing = false;
    const asked = this.nodes.map((node) => {
      node.node.drain();
      return node.renew(this.committed);
    });
    await this.timers.advance(2_000);
    this.nodes.forEach(({ node }, i) => expect(node.renewals.at(-1)?.id).toBe(asked[i]));
    this.nodes.forEach((node) => node.check(this.committed));
    const stopped = this.instances.map((instance) => instance.stop());
    await this.timers.advance(2_000);
    await Promise.all(stopped);
    expect(this.timers.open).toBe(0);
  }
}

it('G2: an answer never comes before a revocation that was committed when its renewal arrived, whatever interleaves', async () => {
  const run = async (actions: readonly Action[]): Promise<void> => {
    const world = new World();
    for (const { follower } of world.instances) void follower.start();
    world.nodes.forEach((node, i) => node.connect(world.instances[i % INSTANCES]!, Infinity));
    for (const action of actions) await world.act(action);
    await world.heal();
  };
  await fc.assert(fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }), run), {
    numRuns: 500,
  });
}, 60_000);
