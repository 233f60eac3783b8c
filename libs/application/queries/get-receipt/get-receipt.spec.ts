import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RevocationMessage } from '#contracts';
import type { NodeReport, NodeReports } from '../../ports/node-reports.port.js';
import type { RecentRevocation } from '../../ports/recent-revocations.port.js';
import { callerOf, contextOf } from '../../testing/application.spec-support.js';
import { GetReceiptHandler } from './get-receipt.handler.js';
import { GetReceipt, type GetReceiptInput } from './get-receipt.query.js';

const NOW = 1_000_000;
const message: RevocationMessage = {
  scope: 'session',
  tenant: 'default',
  sub: 'u',
  sid: 's1',
  reason: 'admin',
  initiator: 'admin',
  position: '7',
};
const REPORT: NodeReport = {
  nodeId: 'n',
  tenants: ['default'],
  via: 'watch',
  boundMs: 2_000,
  cursor: '',
  reportedAt: NOW,
};

/** What the handler asks for, and when. */
class World implements NodeReports {
  readonly known = new Map<string, RecentRevocation>();
  onRefresh: () => void = () => undefined;
  refreshes = 0;
  elapsed = 0;
  hurried = 0;
  cursor = '';
  /** What happens while a waiter waits. */
  onNews = (ms: number) => {
    this.elapsed += ms;
  };

  add(id: string, changes: Partial<RevocationMessage> = {}): void {
    const found = { ...message, ...changes } as RevocationMessage;
    this.known.set(id, { message: found, mark: 'm', recordedAt: NOW, knownForMs: () => 0 });
  }
  all = () => Promise.resolve([{ ...REPORT, cursor: this.cursor }]);
  shows = (cursor: string) => cursor === 'after';
  news = (ms: number) => Promise.resolve(this.onNews(ms));
  hurry = () => {
    this.hurried++;
    return () => void this.hurried--;
  };
  private readonly handler = new GetReceiptHandler(
    {
      find: (id) => this.known.get(id),
      refresh: () => {
        this.refreshes++;
        this.onRefresh();
        return Promise.resolve();
      },
    },
    this,
    { now: () => NOW, barrierAge: () => 0 },
    () => () => this.elapsed,
  );
  ask = (input: GetReceiptInput, caller = callerOf('default')) =>
    this.handler.execute(new GetReceipt(contextOf(caller), input));
}

describe('GetReceipt', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
    world.add('s1');
  });
  const notFound = { code: 'ERR_NOT_FOUND' };

  it('answers at once, unless it is to wait', async () => {
    expect(await world.ask({ id: 's1' })).toMatchObject({ id: 's1', complete: false });
    expect([world.refreshes, world.elapsed]).toEqual([0, 0]);
  });

  it('makes sure of a revocation that has not been read here yet', async () => {
    world.onRefresh = () => world.add('s2', { sid: 's2' });
    expect(await world.ask({ id: 's2' })).toMatchObject({ id: 's2' });
    await expect(world.ask({ id: 'unknown' })).rejects.toMatchObject(notFound);
    expect(world.refreshes).toBe(2);
  });

  it('G10: what belongs to another tenant answers as what is unknown, after the same look', async () => {
    await expect(world.ask({ id: 's1' }, callerOf('other'))).rejects.toMatchObject(notFound);
    await expect(world.ask({ id: 's1', tenant: 'other' }, callerOf('*'))).rejects.toMatchObject(notFound);
    expect(world.refreshes).toBe(2);
    expect(await world.ask({ id: 's1' }, callerOf('*'))).toMatchObject({ id: 's1' });
  });

  it('G10: the end of everyone is shown to keys of every tenant only', async () => {
    world.add('r1', { scope: 'global', tenant: '', revocationId: 'r1' } as never);
    await expect(world.ask({ id: 'r1' })).rejects.toMatchObject(notFound);
    expect(await world.ask({ id: 'r1' }, callerOf('*'))).toMatchObject({ scope: 'global' });
  });

  it('waits until no node is outstanding, and hurries them meanwhile', async () => {
    let rounds = 0;
    world.onNews = () => {
      expect(world.hurried).toBe(1);
      if (++rounds === 3) world.cursor = 'after';
    };
    expect(await world.ask({ id: 's1', wait: true })).toMatchObject({ complete: true });
    expect([rounds, world.hurried]).toEqual([3, 0]);
  });

  it('answers at the deadline what it has by then', async () => {
    expect(await world.ask({ id: 's1', wait: true })).toMatchObject({ complete: false });
    expect(world.elapsed).toBe(10_000);
    world.elapsed = 0;
    await world.ask({ id: 's1', wait: true, timeoutMs: 7 });
    expect([world.elapsed, world.hurried]).toEqual([7, 0]);
  });

  it('refuses a key that waits 150 times already, and no other', async () => {
    const waiting: (() => void)[] = [];
    const paused = new Promise<void>((resolve) => waiting.push(resolve));
    world.news = () => paused.then(() => void (world.cursor = 'after'));
    const all = Array.from({ length: 150 }, () => world.ask({ id: 's1', wait: true }));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(world.ask({ id: 's1', wait: true })).rejects.toMatchObject({ code: 'ERR_OVERLOADED' });
    all.push(world.ask({ id: 's1', wait: true }, callerOf('default', { keyId: 'another' })));
    for (const end of waiting) end();
    for (const receipt of await Promise.all(all)) expect(receipt.complete).toBe(true);
    expect(await world.ask({ id: 's1', wait: true })).toMatchObject({ complete: true });
  });
});
