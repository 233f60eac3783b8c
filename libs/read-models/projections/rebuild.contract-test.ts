import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '#event-log';
import { cutAt } from './testing/faults.spec-support.js';
import { applyGate, expectedProbe, poisoned, probe } from './testing/probe-projections.spec-support.js';
import {
  anEvent,
  MemoryWriter,
  ProjectionBench,
  statusOf,
  type RunnerSetup,
} from './testing/projection-bench.spec-support.js';
import { until } from './testing/rounds.spec-support.js';

const SOME_PAGES = 12_000;

describe('a rebuild', () => {
  let bench: ProjectionBench;
  let writer: MemoryWriter;
  let setup: RunnerSetup;
  beforeAll(async () => {
    bench = await ProjectionBench.open();
  });
  beforeEach(() => {
    writer = new MemoryWriter(new MemoryEventLog());
    setup = { definitions: [probe], log: writer.log };
  });
  afterEach(async () => {
    delete applyGate.wait;
    poisoned.clear();
    await bench.reset();
  });
  afterAll(() => bench.close());

  const some = async (events: number): Promise<void> => {
    for (let i = 0; i < events; i += 1) await writer.write(`session-${i % 7}`, anEvent({ i }));
  };
  const status = () => statusOf(bench.projections(setup), 'counters');
  const isLive = (version: number) => async (): Promise<boolean> => {
    const { version: active, lagEvents, state } = await status();
    return active === version && lagEvents === 0 && state === 'live';
  };
  const expectAllOnce = async (): Promise<void> => {
    expect(await bench.dump('probe')).toEqual(expectedProbe(writer.events()).sort());
  };

  it('G7: makes the same tables beside the live ones, shows them, drops the old ones; queries go on and never go back', async () => {
    await some(SOME_PAGES);
    const { runner } = bench.started(setup);
    await until(isLive(1));
    await expectAllOnce();

    let reading = true;
    const seen: number[] = [];
    const reader = (async () => {
      while (reading) {
        const { rows } = await bench.pool.query<{ n: number }>(
          `select n from curfew.probe where stream = '*'`,
        );
        seen.push(rows[0]!.n);
      }
    })();
    // While the new version applies, also in the flip itself, the live one is given the chance to be ahead of it.
    applyGate.wait = async (version) => {
      if (version !== 2 || (await bench.row('counters', 2))?.['state'] !== 'building') return;
      await some(1);
      const ahead = async (): Promise<boolean> =>
        (await bench.row('counters', 1))?.['position'] === writer.events().at(-1)?.position;
      await until(ahead, 150).catch(() => undefined);
    };
    const projections = bench.projections(setup, () => runner.wake());
    await Promise.all([projections.rebuild('counters'), projections.rebuild('counters')]);
    await projections.rebuild('counters');
    const { rebuild } = await status();
    expect(rebuild).toMatchObject({ version: 2, state: 'building' });
    expect(rebuild!.eventsTotal).toBeGreaterThanOrEqual(SOME_PAGES);
    await until(isLive(2));
    delete applyGate.wait;
    await expectAllOnce();
    await some(300);
    await until(isLive(2));
    reading = false;
    await reader;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    await expectAllOnce();

    await until(async () => (await bench.tables('probe\\_%')).join() === 'probe_2,probe_inline_1');
    expect(await bench.row('counters', 1)).toMatchObject({ state: 'dropped' });
    expect(await status()).not.toHaveProperty('rebuild');
    const live = await bench.dump('probe_2');
    await projections.rebuild('counters');
    await until(isLive(3));
    expect(await bench.dump('probe_3')).toEqual(live);
  });

  it.each(['before', 'after'] as const)(
    'G7: goes on in another instance, whichever statement its own was killed %s',
    async (when) => {
      await some(SOME_PAGES);
      const first = bench.started(setup);
      await until(isLive(1));
      await first.runner.stop();
      await bench.projections(setup).rebuild('counters');
      const finished = async (): Promise<boolean> =>
        (await bench.row('counters', 1))?.['state'] === 'dropped' && (await isLive(2)());
      let kills = 0;
      for (let nth = 1; !(await finished()); nth += 1) {
        let statements = 0;
        const dying = bench.started({
          ...setup,
          timing: { heartbeatMs: 20, takeoverMs: 50 },
          onConnect: (client) => {
            cutAt(client, when, () => ++statements === nth);
            cutAt(client, 'before', () => statements > nth);
          },
        });
        await some(20);
        await until(async () => statements >= nth + 1 || (await finished()));
        kills += 1;
        await dying.close();
      }
      await expectAllOnce();
      expect(kills).toBeGreaterThan(10);
      expect(await bench.tables('probe\\_%')).toEqual(['probe_2', 'probe_inline_1']);
      expect(await bench.row('counters', 3)).toBeUndefined();
    },
  );

  it('that fails leaves the live version alone, says why, and begins afresh when asked for again', async () => {
    await some(20);
    const { runner, alarms } = bench.started(setup);
    await until(isLive(1));
    await writer.write('s', anEvent({ poison: 'secret' }));
    await until(isLive(1));
    poisoned.add('secret');
    const projections = bench.projections(setup, () => runner.wake());
    await projections.rebuild('counters');
    await until(async () => (await status()).rebuild?.state === 'failed');
    expect((await status()).rebuild).toMatchObject({
      version: 2,
      eventsDone: 20,
      eventsTotal: 21,
      error: `ProbeError (session.rotated ${writer.events()[20]!.id})`,
    });
    expect(alarms.map(({ kind }) => kind)).toEqual(['rebuild-failed']);
    poisoned.clear();
    await some(20);
    await until(isLive(1));
    await expectAllOnce();

    await projections.rebuild('counters');
    await until(isLive(3));
    await expectAllOnce();
    await until(async () => (await bench.tables('probe\\_%')).join() === 'probe_3,probe_inline_1');
    expect(await bench.row('counters', 2)).toMatchObject({ state: 'dropped' });
  });

  it('replaces a projection that an event had paused, once the projection can apply it', async () => {
    poisoned.add('x');
    await some(10);
    await writer.write('s', anEvent({ poison: 'x' }));
    await some(10);
    const { runner } = bench.started(setup);
    await until(async () => (await status()).state === 'paused');
    poisoned.clear();
    await bench.projections(setup, () => runner.wake()).rebuild('counters');
    await until(isLive(2));
    expect(await status()).not.toHaveProperty('failure');
    await expectAllOnce();
  });

  it('G7: of a live version is noticed by its owner in another instance, without an alarm', async () => {
    // The owner looks for builds once, before there is one.
    const owner = bench.started({ ...setup, timing: { heartbeatMs: 60_000, takeoverMs: 120_000 } });
    await some(10);
    await until(isLive(1));
    const other = bench.started({ ...setup, timing: { takeoverMs: 120_000 } });
    await bench.projections(setup, () => other.runner.wake()).rebuild('counters');
    await until(isLive(2));
    await some(100);
    await until(isLive(2));
    await expectAllOnce();
    expect([...owner.alarms, ...other.alarms].filter(({ kind }) => kind !== 'unavailable')).toEqual([]);
  });

  it('flips when a reader that holds the view up has gone, and until then keeps the live version going', async () => {
    await some(10);
    const { runner, alarms } = bench.started(setup);
    await until(isLive(1));
    const reader = await bench.pool.connect();
    await reader.query('begin');
    await reader.query('select * from curfew.probe');
    await bench.projections(setup, () => runner.wake()).rebuild('counters');
    await until(() => alarms.some(({ kind }) => kind === 'flip-delayed'), 20_000);
    await some(10);
    await until(isLive(1));
    await reader.query('commit');
    reader.release();
    await until(isLive(2));
    await expectAllOnce();
  });
});
