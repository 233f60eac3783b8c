import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '#event-log';
import { openPool } from '#platform';
import { PostgresViewFreshness } from './postgres-view-freshness.js';
import { applyGate, probe } from './testing/probe-projections.spec-support.js';
import {
  anEvent,
  MemoryWriter,
  ProjectionBench,
  type RunnerSetup,
} from './testing/projection-bench.spec-support.js';

const LONG_MS = 8_000;

describe('freshness of views', () => {
  let bench: ProjectionBench;
  let writer: MemoryWriter;
  let setup: RunnerSetup;
  let freshness: PostgresViewFreshness;
  beforeAll(async () => {
    bench = await ProjectionBench.open();
  });
  beforeEach(() => {
    writer = new MemoryWriter(new MemoryEventLog());
    setup = { definitions: [probe], log: writer.log };
    freshness = new PostgresViewFreshness({ pool: bench.pool, isPosition: (text) => /^[\d:]+$/.test(text) });
  });
  afterEach(async () => {
    delete applyGate.wait;
    await bench.reset();
  });
  afterAll(() => bench.close());

  it('G8: waits until a followed view shows the write, and no longer', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    applyGate.wait = () => gate;
    bench.started(setup);
    const position = await writer.write('s', anEvent());
    expect(freshness.lags).toBe(true);
    expect(await freshness.shows('counters', position, 0)).toBe(false);
    expect(await freshness.shows('counters', position, 60)).toBe(false);
    let answered = false;
    const shown = freshness.shows('counters', position, LONG_MS).finally(() => (answered = true));
    expect(await freshness.shows('counters', position, 60)).toBe(false);
    expect(answered).toBe(false);
    open();
    expect(await shown).toBe(true);
    expect(await bench.dump('probe')).toHaveLength(2);
    expect(await freshness.shows('counters', position, 0)).toBe(true);
    expect(await freshness.shows('counters', '', 0)).toBe(true);
  });

  it('G8: many wait at the cost of one, and a commit of the own process wakes them before the next poll', async () => {
    const { runner } = bench.started(setup);
    const woken = new PostgresViewFreshness({
      pool: bench.pool,
      isPosition: () => true,
      onCommitted: (wake) => runner.onCommitted(wake),
      pollMs: 60_000,
    });
    let queries = 0;
    bench.pool.on('acquire', () => (queries += 1));
    for (let round = 0; round < 20; round += 1) {
      const position = await writer.write('s', anEvent());
      const shown = Array.from({ length: 50 }, () => woken.shows('counters', position, LONG_MS));
      expect(new Set(await Promise.all(shown))).toEqual(new Set([true]));
    }
    bench.pool.removeAllListeners('acquire');
    expect(queries).toBeLessThan(20 * 6);
  });

  it('G8: shows no less after a rebuild than before it', async () => {
    const { runner } = bench.started(setup);
    let position = '';
    for (let i = 0; i < 200; i += 1) position = await writer.write('s', anEvent());
    expect(await freshness.shows('counters', position, LONG_MS)).toBe(true);
    await bench.projections(setup, () => runner.wake()).rebuild('counters');
    while ((await bench.row('counters', 2))?.['state'] !== 'live') {
      expect(await freshness.shows('counters', position, 0)).toBe(true);
    }
    expect(await freshness.shows('counters', position, 0)).toBe(true);
  });

  it('G8: a view that the log keeps shows a position as soon as it is committed', async () => {
    const committed = new Set<string>();
    const inline = new PostgresViewFreshness({
      pool: bench.pool,
      isPosition: () => true,
      inline: { views: ['sessions'], isCommitted: (position) => Promise.resolve(committed.has(position)) },
    });
    expect(inline.lags).toBe(false);
    const shown = inline.shows('sessions', 'p', LONG_MS);
    expect(await inline.shows('sessions', 'p', 30)).toBe(false);
    committed.add('p');
    expect(await shown).toBe(true);
  });

  it('refuses what is no position, and says when the database is gone', async () => {
    await expect(freshness.shows('counters', 'x', 0)).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
      field: 'atLeast',
    });
    const pool = openPool(bench.url);
    await pool.end();
    const ended = new PostgresViewFreshness({ pool, isPosition: () => true });
    await expect(ended.shows('counters', '1:1', 0)).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
  });

  it('knows nothing of a view that has no row', async () => {
    expect(await freshness.shows('security-feed', '1:1', 10)).toBe(false);
  });
});
