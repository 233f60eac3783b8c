import { it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { AppendSignals, eventLogMigrations, PostgresEventLog } from '#event-log';
import { openPool, runMigrations } from '#platform';
import { createDatabase } from '../../../test/support/postgres.js';
import {
  sessionsProjection,
  securityFeedProjection,
  countersProjection,
  readModelMigrations,
  sessionViewChanges,
} from '../index.js';
import { created, revoked, rotated, to } from '../testing/events.js';
import { ProjectionRunner, PostgresProjections } from './index.js';
import { inlineOfPostgres, measureOfPostgres } from './testing/measures.spec-support.js';
import { until } from './testing/rounds.spec-support.js';

it('bench', async () => {
  const database = await createDatabase();
  await runMigrations(database.url, [...eventLogMigrations, ...readModelMigrations]);
  const pool = openPool(database.url, { max: 6, statementTimeoutMs: 30_000 });
  const signals = new AppendSignals(database.url);
  const log = new PostgresEventLog({ url: database.url, pool, signals, projection: sessionViewChanges });
  const N = Number(process.env['N'] ?? 30000);
  let t = performance.now();
  const out: string[] = [];
  if (process.env['SPREAD'] === undefined) {
    for (let i = 0; i < N;) {
      const group = [];
      for (let k = 0; k < 8; k++) {
        const appends = [];
        for (let j = 0; j < 50 && i < N; j++, i++)
          appends.push(
            to(
              `sid${i}`,
              -1,
              created(`u${i % 1000}`, 1000 + i) as never,
              ...Array.from({ length: 8 }, (_, g) => rotated(g + 1, 2000 + i + g) as never),
              ...(i % 5 ? [] : [revoked(`u${i % 1000}`, 3000 + i) as never]),
            ),
          );
        group.push(log.append(appends as never));
      }
      await Promise.all(group);
    }
  } else {
    for (let g = 0; g <= 8; g++)
      for (let i = 0; i < N;) {
        const group = [];
        for (let k = 0; k < 4; k++) {
          const appends = [];
          for (let j = 0; j < 250 && i < N; j++, i++) {
            const at = (i * 7919) % N;
            appends.push(
              to(
                `sid${at}`,
                g - 1,
                g === 0
                  ? (created(`u${at % 1000}`, 1000 + at) as never)
                  : (rotated(g, 2000 + at + g) as never),
              ),
            );
          }
          group.push(log.append(appends as never));
        }
        await Promise.all(group);
      }
  }
  out.push(`appended in ${((performance.now() - t) / 1000).toFixed(1)} s`);
  await pool.query('vacuum analyze curfew.events');
  const spent = { read: 0, apply: 0, probe: 0, pages: 0 };
  const timed =
    <A extends unknown[], R>(k: 'read' | 'apply' | 'probe', f: (...a: A) => Promise<R>) =>
    async (...a: A): Promise<R> => {
      const b = performance.now();
      try {
        return await f(...a);
      } finally {
        spent[k] += performance.now() - b;
        spent.pages += k === 'read' ? 1 : 0;
      }
    };
  const tlog = {
    readAll: timed('read', (a: string, m: number) => log.readAll(a, m)),
    readStream: timed('probe', (a: string, m: object) => log.readStream(a, m)),
    subscribe: (a: string, x: AbortSignal) => log.subscribe(a, x),
  };
  const cpuOf = async () => {
    const { readFileSync } = await import('node:fs');
    const { rows } = await pool.query(
      `select pid, application_name, left(query, 60) q from pg_stat_activity where datname = current_database()`,
    );
    return rows.map((r: any) => {
      try {
        const f = readFileSync(`/proc/${r.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
        return { pid: r.pid, cpu: (Number(f[11]) + Number(f[12])) / 100, q: r.q };
      } catch {
        return { pid: r.pid, cpu: 0, q: '' };
      }
    });
  };
  const definitions0 = [sessionsProjection, securityFeedProjection, countersProjection];
  const definitions = definitions0.map((d) => ({
    ...d,
    apply: timed('apply', (...a: Parameters<typeof d.apply>) => d.apply(...a)),
  }));
  const measure = measureOfPostgres(pool);
  const runner = new ProjectionRunner({
    pool,
    log: tlog as never,
    measure,
    inline: inlineOfPostgres,
    definitions,
    onAlarm: (a) => out.push(JSON.stringify(a)),
  });
  const projections = new PostgresProjections({
    pool,
    log,
    measure,
    inline: inlineOfPostgres,
    definitions,
    wake: () => runner.wake(),
  });
  const dump = async (v: string) =>
    (await pool.query(`select md5(string_agg(t::text, ',' order by sid)) as m from curfew.${v} t`)).rows[0].m;
  t = performance.now();
  for (let p = '', n = 0; ;) {
    const page = await log.readAll(p, 5000);
    p = page.position;
    n += page.events.length;
    if (page.caughtUp) {
      out.push(`bare read ${n} events: ${((n / (performance.now() - t)) * 1000).toFixed(0)}/s`);
      break;
    }
  }
  const dumped = await dump('session_views');
  t = performance.now();
  runner.start();
  await until(async () => (await projections.status()).every(({ lagEvents }) => lagEvents === 0), 200_000);
  out.push(`followed by feed+counters in ${((performance.now() - t) / 1000).toFixed(1)} s`);
  for (const name of ['sessions', 'sessions', 'security-feed', 'counters'] as const) {
    const v = (await projections.status()).find((s) => s.name === name)!.version;
    t = performance.now();
    const cpu = process.cpuUsage();
    Object.assign(spent, { read: 0, apply: 0, probe: 0, pages: 0 });
    const before = await cpuOf();
    await projections.rebuild(name);
    await until(
      async () =>
        (
          await pool.query(`select 1 from curfew.projections where name=$1 and state='live' and version=$2`, [
            name,
            v + 1,
          ])
        ).rowCount === 1,
      200_000,
    );
    const s = (performance.now() - t) / 1000;
    const used = process.cpuUsage(cpu);
    const done = (
      await pool.query(`select events_done from curfew.projections where name=$1 and version=$2`, [
        name,
        v + 1,
      ])
    ).rows[0].events_done;
    const after = await cpuOf();
    out.push(
      `   ${JSON.stringify(spent)} pg cpu ${after.map((a) => (a.cpu - (before.find((b) => b.pid === a.pid)?.cpu ?? 0)).toFixed(2)).join(' ')}`,
    );
    out.push(
      `${name}: ${done} events in ${s.toFixed(2)} s = ${(done / s).toFixed(0)}/s, node cpu ${((used.user + used.system) / 1e6).toFixed(2)} s`,
    );
  }
  out.push(`same: ${dumped === (await dump('session_views'))}`);
  writeFileSync('/tmp/bench.out', out.join('\n') + '\n');
  await runner.stop();
  await log.close();
  await signals.close();
  await pool.end();
  await database.drop();
}, 600_000);
