import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '#event-log';
import type { ProjectionAlarm } from './runtime.js';
import { cutAt, freeze } from './testing/faults.spec-support.js';
import { measureByReading } from './testing/measures.spec-support.js';
import { applyGate, expectedProbe, poisoned, probe } from './testing/probe-projections.spec-support.js';
import {
  anEvent,
  MemoryWriter,
  ProjectionBench,
  statusOf,
  type RunnerSetup,
} from './testing/projection-bench.spec-support.js';
import { rounds, SEED, seeded, until } from './testing/rounds.spec-support.js';

const kinds = (alarms: readonly ProjectionAlarm[]): string[] =>
  alarms.map(({ kind }) => kind).filter((kind) => kind !== 'unavailable');

describe('a projection that follows the log', () => {
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

  const some = async (events: number, streams = 5): Promise<void> => {
    for (let i = 0; i < events; i += 1)
      await writer.write(`session-${i % streams}`, anEvent({ i }, 1_000 + i));
  };
  const status = () => statusOf(bench.projections(setup), 'counters');
  const caughtUp = async (): Promise<boolean> =>
    (await bench.row('counters', 1))?.['position'] === writer.events().at(-1)?.position;
  const expectAllOnce = async (relation = 'probe'): Promise<void> => {
    expect(await bench.dump(relation)).toEqual(expectedProbe(writer.events()).sort());
  };

  it('G7: applies every event once, in order, and its status says how far it is', async () => {
    await some(1_700);
    expect(await status()).toEqual({
      name: 'counters',
      state: 'live',
      inline: false,
      version: 1,
      position: '',
      lagEvents: 1_700,
      lagMs: 1_699,
    });
    const { runner } = bench.started(setup);
    await until(caughtUp);
    await some(10);
    await until(caughtUp);
    await expectAllOnce();
    expect(await status()).toMatchObject({
      lagEvents: 0,
      lagMs: 0,
      position: writer.events().at(-1)!.position,
    });
    expect(runner.stats().get('counters')).toMatchObject({ events: 1_710 });
    expect(runner.stats().get('counters')!.batches).toBeLessThan(40);
  });

  it(`G7: applies every event once while its connections are cut at any moment (seed ${SEED})`, async () => {
    const below = seeded(SEED);
    const { alarms } = bench.started(setup);
    let cutting = true;
    const cuts = (async () => {
      while (cutting) await bench.cutConnections(0.3);
    })();
    for (let burst = 0; burst < 20 * rounds(15); burst += 1) {
      await some(1 + below(20));
      await new Promise((resolve) => setTimeout(resolve, below(8)));
    }
    cutting = false;
    await cuts;
    await some(1);
    await until(caughtUp, 20_000);
    await expectAllOnce();
    expect(kinds(alarms)).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'G7: applies every event once when the connection goes %s any one statement was executed',
    async (when) => {
      for (let nth = 1; nth <= 16; nth += 1) {
        let statements = 0;
        const { runner } = bench.started({
          ...setup,
          onConnect: (client) => cutAt(client, when, () => ++statements === nth),
        });
        await some(20);
        await until(caughtUp);
        await runner.stop();
      }
      await expectAllOnce();
    },
  );

  it('goes on in another instance at once when its own stops', async () => {
    const patient = { ...setup, timing: { takeoverMs: 60_000 } };
    const first = bench.started(patient);
    await some(50);
    await until(caughtUp);
    const second = bench.started(patient);
    await first.runner.stop();
    await some(50);
    await until(caughtUp);
    expect(second.runner.stats().get('counters')!.events).toBe(50);
    await expectAllOnce();
  });

  it('goes on in another instance soon when its own was killed', async () => {
    const second = bench.started(setup);
    const third = bench.started(setup);
    await some(50);
    await until(caughtUp);
    const [working, standby] =
      second.runner.stats().get('counters')!.events > 0 ? [second, third] : [third, second];
    // It neither answers nor releases from here on: what a killed process looks like to the others.
    const thaw = freeze(working.pool);
    await bench.cutConnections();
    await some(50);
    await until(caughtUp);
    expect(standby.runner.stats().get('counters')!.events).toBe(50);
    await expectAllOnce();
    expect(kinds(standby.alarms)).toEqual([]);
    thaw();
  });

  it('G7: stops with an alarm, and without an effect, when it was taken over while it stood still', async () => {
    const zombie = bench.started(setup);
    await some(20);
    await until(caughtUp);
    const thaw = freeze(zombie.pool);
    const other = bench.started(setup);
    await some(20);
    await until(caughtUp);
    expect(kinds(zombie.alarms)).toEqual([]);
    thaw();
    await until(() => kinds(zombie.alarms).length > 0);
    expect(kinds(zombie.alarms)).toEqual(['ownership-lost']);
    await some(20);
    await until(caughtUp);
    await expectAllOnce();
    expect(other.runner.stats().get('counters')!.events).toBe(40);
  });

  it('G7: pauses at an event that it cannot apply, keeps what came before, never skips it, and goes on when resumed', async () => {
    poisoned.add('secret data');
    await some(30);
    const position = await writer.write('session-1', anEvent({ poison: 'secret data' }));
    await some(30);
    const poison = writer.events()[30]!;
    const { alarms, runner } = bench.started(setup);
    const paused = async (): Promise<boolean> => (await status()).state === 'paused';
    await until(paused);
    expect(await status()).toMatchObject({
      position: writer.events()[29]!.position,
      lagEvents: 31,
      failure: { position, eventId: poison.id, eventType: 'session.rotated', error: 'ProbeError' },
    });
    expect(await bench.dump('probe')).toEqual(expectedProbe(writer.events().slice(0, 30)).sort());
    expect(kinds(alarms)).toEqual(['paused']);
    expect(JSON.stringify([await bench.row('counters', 1), alarms])).not.toContain('secret');

    const projections = bench.projections(setup, () => runner.wake());
    await projections.resume('counters');
    await until(() => kinds(alarms).length === 2);
    await until(paused);
    poisoned.clear();
    await projections.resume('counters');
    await until(caughtUp);
    expect(await status()).not.toHaveProperty('failure');
    await projections.resume('counters');
    await expectAllOnce();
  });

  it('says no more of a failing statement than its SQLSTATE', async () => {
    await writer.write('s', anEvent());
    const failing = {
      ...probe,
      apply: async (client: { query: (q: { text: string }) => Promise<unknown> }) => {
        await client.query({ text: `select 'secret'::int` });
      },
    };
    bench.started({ ...setup, definitions: [failing] });
    await until(async () => (await status()).state === 'paused');
    expect((await status()).failure?.error).toBe('SQLSTATE 22P02');
  });

  it('takes a statement that failed unnoticed for a failure', async () => {
    await writer.write('s', anEvent());
    const careless = {
      ...probe,
      apply: async (client: { query: (q: { text: string }) => Promise<unknown> }) => {
        await client.query({ text: 'select 1 / 0' }).catch(() => undefined);
      },
    };
    bench.started({ ...setup, definitions: [careless] });
    await until(async () => (await status()).state === 'paused');
    expect(await status()).toMatchObject({ position: '' });
  });

  it.each([
    ['shorter', 0],
    ['longer, with other events', 80],
  ])('G7: pauses on a log that lost its tail and is now %s; a rebuild is the cure', async (_, more) => {
    const first = bench.started(setup);
    await some(40);
    await until(caughtUp);
    await first.runner.stop();

    writer = new MemoryWriter(new MemoryEventLog());
    setup = { ...setup, log: writer.log };
    await some(30 + more);
    const second = bench.started(setup);
    await until(async () => (await status()).state === 'paused');
    expect((await status()).failure?.error).toContain('rebuild the projection');
    expect(kinds(second.alarms)).toEqual(['paused']);

    await bench.projections(setup, () => second.runner.wake()).rebuild('counters');
    await until(async () => (await status()).version === 2);
    expect(await status()).toMatchObject({ state: 'live', lagEvents: 0 });
    await expectAllOnce();
  });

  it('G7: notices a lost tail also while it runs', async () => {
    const logs = { current: writer.log };
    const switching = {
      readAll: (...of: Parameters<MemoryEventLog['readAll']>) => logs.current.readAll(...of),
      readStream: (...of: Parameters<MemoryEventLog['readStream']>) => logs.current.readStream(...of),
      subscribe: (...of: Parameters<MemoryEventLog['subscribe']>) => writer.log.subscribe(...of),
    };
    bench.started({ ...setup, log: switching, measure: measureByReading(writer.log) });
    await some(40);
    await until(caughtUp);
    logs.current = new MemoryEventLog();
    await until(async () => (await status()).state === 'paused');
    const before = await bench.dump('probe');
    await some(1);
    expect(await bench.dump('probe')).toEqual(before);
  });

  it('does not begin again and again where the log has ended', async () => {
    let subscriptions = 0;
    const ended = {
      readAll: (...of: Parameters<MemoryEventLog['readAll']>) => writer.log.readAll(...of),
      readStream: (...of: Parameters<MemoryEventLog['readStream']>) => writer.log.readStream(...of),
      subscribe: (after: string, _: AbortSignal) => {
        subscriptions += 1;
        return writer.log.subscribe(after, AbortSignal.abort());
      },
    };
    bench.started({ ...setup, log: ended, timing: { heartbeatMs: 60_000 } });
    await until(() => subscriptions === 1);
    await until(async () => (await bench.row('counters', 1))?.['owner'] === null);
    for (let i = 0; i < 20; i += 1) await bench.row('counters', 1);
    expect(subscriptions).toBe(1);
  });

  it('waits for a database that is not there yet, and answers ERR_NOT_FOUND for a name that it does not know', async () => {
    await bench.pool.query('alter table curfew.projections rename to gone');
    const { alarms } = bench.started(setup);
    await until(() => alarms.some(({ kind }) => kind === 'unavailable'));
    await bench.pool.query('alter table curfew.gone rename to projections');
    await some(5);
    await until(caughtUp);
    const projections = bench.projections(setup);
    await expect(projections.resume('nothing')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(projections.rebuild('sessions')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});
