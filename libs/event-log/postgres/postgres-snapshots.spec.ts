import { describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { StreamSnapshot } from '#application';
import { until } from '../testing/until.js';
import { PostgresSnapshots, type PostgresSnapshotsOptions } from './postgres-snapshots.js';

/** A pool that writes down the batches that it is given, and answers when it is told to. */
function heldPool() {
  const batches: StreamSnapshot[][] = [];
  let answers: ((error?: Error) => void)[] = [];
  const pool = {
    query: ({ values }: { values: [string] }) => {
      batches.push(JSON.parse(values[0]) as StreamSnapshot[]);
      return new Promise<void>((resolve, reject) => {
        answers.push((error) => (error ? reject(error) : resolve()));
      });
    },
  };
  const answer = (error?: Error): void => {
    const waiting = answers;
    answers = [];
    for (const settle of waiting) settle(error);
  };
  return { pool: pool as unknown as pg.Pool, batches, answer, asked: () => answers.length };
}

const aSnapshot = (stream: string, revision: number, format = 'f'): StreamSnapshot => ({
  stream,
  revision,
  format,
  state: { revision },
});

describe('kept snapshots', () => {
  const setUp = (options: PostgresSnapshotsOptions = {}) => {
    const held = heldPool();
    return { ...held, snapshots: new PostgresSnapshots(held.pool, { gatherMs: 1, ...options }) };
  };
  const told = (batch: readonly StreamSnapshot[]): [string, number][] =>
    batch.map(({ stream, revision }) => [stream, revision]);

  it('gather, and only the newest of a stream is written', async () => {
    const { snapshots, batches, answer } = setUp();
    for (const revision of [3, 5, 4]) snapshots.keep(aSnapshot('a', revision));
    snapshots.keep(aSnapshot('b', 1));
    await until(() => batches.length === 1);
    expect(told(batches[0]!)).toEqual([
      ['a', 5],
      ['b', 1],
    ]);
    answer();
    await until(() => snapshots.stats().written === 2);
    expect(snapshots.stats()).toEqual({ waiting: 0, written: 2, dropped: 0 });
  });

  it('of another format take the place of one that waits, older or not', async () => {
    const { snapshots, batches } = setUp();
    snapshots.keep(aSnapshot('a', 9, 'old'));
    snapshots.keep(aSnapshot('a', 2, 'new'));
    await until(() => batches.length === 1);
    expect(batches[0]).toEqual([aSnapshot('a', 2, 'new')]);
  });

  it('are written one batch at a time; what comes meanwhile goes with the next', async () => {
    const { snapshots, batches, answer, asked } = setUp();
    snapshots.keep(aSnapshot('a', 1));
    await until(() => asked() === 1);
    snapshots.keep(aSnapshot('a', 2));
    snapshots.keep(aSnapshot('b', 1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(batches).toHaveLength(1);
    answer();
    await until(() => batches.length === 2);
    expect(told(batches[1]!)).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('come in batches of bounded size', async () => {
    const { snapshots, batches, answer } = setUp();
    for (let i = 0; i < 600; i += 1) snapshots.keep(aSnapshot(`s${i}`, 1));
    const large = { ...aSnapshot('large', 1), state: { text: 'x'.repeat(3_000_000) } };
    snapshots.keep(large);
    snapshots.keep({ ...large, stream: 'larger' });
    await until(() => {
      answer();
      return snapshots.stats().written === 602;
    });
    expect(batches.map(({ length }) => length)).toEqual([256, 256, 89, 1]);
  });

  it('are dropped and counted when too many wait, when the store refuses them or cannot hold them', async () => {
    const { snapshots, batches, answer } = setUp({ maxWaiting: 2 });
    snapshots.keep({ ...aSnapshot('nul', 1), state: { text: '\0' } });
    for (const stream of ['a', 'b', 'c']) snapshots.keep(aSnapshot(stream, 1));
    snapshots.keep(aSnapshot('a', 2));
    expect(snapshots.stats()).toEqual({ waiting: 2, written: 0, dropped: 2 });
    await until(() => batches.length === 1);
    answer(new Error('refused'));
    await until(() => snapshots.stats().dropped === 4);
    snapshots.keep(aSnapshot('a', 3));
    await until(() => batches.length === 2);
    expect(told(batches[1]!)).toEqual([['a', 3]]);
  });

  it('that wait are written at the close, and none after it', async () => {
    const { snapshots, batches, answer, asked } = setUp({ gatherMs: 60_000 });
    snapshots.keep(aSnapshot('a', 1));
    const closed = snapshots.close();
    await until(() => asked() === 1);
    answer();
    await closed;
    snapshots.keep(aSnapshot('b', 1));
    await snapshots.close();
    expect(told(batches.flat())).toEqual([['a', 1]]);
    expect(snapshots.stats()).toEqual({ waiting: 0, written: 1, dropped: 1 });
  });

  it('are given up at a close whose store does not answer', async () => {
    const { snapshots, batches, answer, asked } = setUp({ gatherMs: 60_000 });
    for (let i = 0; i < 600; i += 1) snapshots.keep(aSnapshot(`s${i}`, 1));
    const closed = snapshots.close();
    await until(() => asked() === 1);
    answer(new Error('gone'));
    await closed;
    expect(batches).toHaveLength(1);
    expect(snapshots.stats()).toEqual({ waiting: 0, written: 0, dropped: 600 });
  });
});
