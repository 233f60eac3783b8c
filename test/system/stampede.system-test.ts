import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Child } from '#local-cluster';
import type { CurfewStats, IssuedSession } from '#sdk';
import { Proxy } from '../chaos/proxy.js';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { onLog } from '../support/log.js';
import { nodeOptions } from '../support/nodes.js';
import {
  machineTime,
  type StampedeOrder,
  type StampedeReport,
  type StampedeSettings,
} from '../support/stampede-nodes.js';

/** `STAMPEDE_NODES=200 npm run test:system -- --testPathPatterns stampede` is the full one. */
const NODES = Number(process.env['STAMPEDE_NODES'] ?? 40);
const PROCESSES = NODES > 40 ? 4 : 2;
const B = 2_000;
/** The wire and the event loop are no part of the bound. */
const SLACK = 250;
const SESSIONS = 300;
/** Of all nodes together. */
const VERIFIES_PER_SECOND = 2_000;
/** How long nodes are without a lease, beyond B. */
const OUTAGE_MS = 4_000;
/** A create or a health check under the stampede takes no longer, on a machine that has other work as well. */
const ANSWERED_WITHIN_MS = 5_000;

const SUPPORT = join(import.meta.dirname, '../support');

type Tokens = Record<string, string>;
type Totals = Record<keyof CurfewStats, number>;

/** The nodes of all processes as one. */
class Fleet {
  private readonly reported: ((report: StampedeReport) => void)[];

  private constructor(private readonly children: readonly Child<true>[]) {
    this.reported = children.map(() => () => undefined);
    children.forEach((child, i) =>
      child.onMessage((message) => this.reported[i]?.(message as StampedeReport)),
    );
  }

  static async start(settings: StampedeSettings): Promise<Fleet> {
    const env = { STAMPEDE_SETTINGS: JSON.stringify(settings) };
    const args = ['--import', join(SUPPORT, 'run-typescript.cjs'), join(SUPPORT, 'stampede-nodes.ts')];
    return new Fleet(
      await Promise.all(Array.from({ length: PROCESSES }, () => Child.start<true>({ args, env }))),
    );
  }

  verify(tokens: Tokens): void {
    this.order({ do: 'verify', tokens });
  }

  async report(): Promise<{ fresh: number; acceptedAt: Record<string, number>; totals: Totals }> {
    const answers = this.children.map(
      (_, i) => new Promise<StampedeReport>((resolve) => (this.reported[i] = resolve)),
    );
    this.order({ do: 'report' });
    const reports = await Promise.all(answers);
    const acceptedAt: Record<string, number> = {};
    const totals: Record<string, number> = {};
    let fresh = 0;
    for (const report of reports) {
      fresh += report.fresh;
      for (const [sid, at] of Object.entries(report.acceptedAt))
        acceptedAt[sid] = Math.max(acceptedAt[sid] ?? 0, at);
      for (const [name, value] of report.stats.flatMap((stats) => Object.entries(stats)))
        if (typeof value === 'number') totals[name] = (totals[name] ?? 0) + value;
    }
    return { fresh, acceptedAt, totals: totals as Totals };
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
  }

  private order(order: StampedeOrder): void {
    for (const child of this.children) child.send(order);
  }
}

/** What other callers of the service see meanwhile, one call after the other. */
class Bystander {
  private readonly waits: number[] = [];
  private readonly statuses: number[] = [];
  private running = true;
  private readonly done: Promise<void>;

  constructor(call: () => Promise<{ status: number }>) {
    this.done = (async () => {
      while (this.running) {
        const begun = performance.now();
        const { status } = await call();
        this.waits.push(performance.now() - begun);
        this.statuses.push(status);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
  }

  async stop(): Promise<{ slowestMs: number; answered: number; refused: number }> {
    this.running = false;
    await this.done;
    const refused = this.statuses.filter((status) => status >= 500).length;
    return { slowestMs: Math.round(Math.max(...this.waits)), answered: this.statuses.length, refused };
  }
}

describe(`G2: ${NODES} nodes lose their lease at once under load${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let watch: Proxy;
  let fleet: Fleet;
  let tokens: Tokens;
  /** By sid: when the revoke had returned. */
  const revokedAt: Record<string, number> = {};

  beforeEach(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path, { CURFEW_ACCESS_TTL: '10m' });
    const { port } = new URL(service.grpc);
    watch = await Proxy.open(() => [Number(port)]);
    tokens = {};
    for (let i = 0; i < SESSIONS; i += 1) {
      const { sid, accessToken = '' } = await create(`user-${i}`);
      tokens[sid] = accessToken;
    }
    const verifiesPerSecond = VERIFIES_PER_SECOND / NODES;
    const options = nodeOptions(service, { watch: `http://127.0.0.1:${watch.port}`, stalenessBound: B });
    fleet = await Fleet.start({ nodes: NODES / PROCESSES, verifiesPerSecond, options });
    fleet.verify(tokens);
  }, 120_000);
  afterEach(async () => {
    service.child.signal('SIGCONT');
    await fleet.stop();
    await watch.close();
    await service.child.stop();
    await folder.remove();
  }, 60_000);

  const create = async (sub: string): Promise<IssuedSession> =>
    (await service.rest.call<IssuedSession>('POST', '/v1/sessions', { sub })).body;

  const revokeSome = async (count: number): Promise<void> => {
    for (const sid of Object.keys(tokens)
      .filter((each) => !(each in revokedAt))
      .slice(0, count)) {
      await service.rest.call('DELETE', `/v1/sessions/${sid}`);
      revokedAt[sid] = machineTime();
    }
  };

  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  const allFresh = async (): Promise<number> => {
    const begun = performance.now();
    const seen: number[] = [];
    const ask = async (): Promise<boolean> => {
      seen.push((await fleet.report()).fresh);
      await sleep(50);
      return seen.at(-1) === NODES;
    };
    await eventually(ask, { within: 60_000, what: 'a lease of every node' }).catch((error: Error) => {
      throw new Error(`${error.message}; with one were ${seen.filter((_, i) => i % 20 === 0).join()}`);
    });
    return Math.round(performance.now() - begun);
  };

  /** How late the latest acceptance of a revoked session began after its revoke had returned. */
  const worstStaleness = async (): Promise<number> => {
    const { acceptedAt } = await fleet.report();
    const late = Object.entries(revokedAt).map(([sid, at]) => (acceptedAt[sid] ?? 0) - at);
    return Math.round(Math.max(...late));
  };

  const outage = async (begin: () => void, end: () => void, meanwhile: () => Promise<void>) => {
    const before = (await fleet.report()).totals;
    begin();
    await sleep(B);
    await meanwhile();
    await sleep(OUTAGE_MS);
    end();
    const allFreshAfterMs = await allFresh();
    const after = (await fleet.report()).totals;
    const grown = (name: keyof CurfewStats): number => after[name] - before[name];
    return {
      allFreshAfterMs,
      introspections: grown('introspections'),
      accepted: grown('staleAccepted'),
      refused: grown('staleRefused'),
      unavailable: grown('staleUnavailable'),
    };
  };

  it('G2: the service stays up, nothing revoked is accepted after B, and all come back to their memory', async () => {
    await eventually(async () => (await fleet.report()).totals.hits > NODES * 20, { within: 20_000 });

    const health = new Bystander(() => service.rest.call('GET', '/healthz'));
    const creates = new Bystander(() => service.rest.call('POST', '/v1/sessions', { sub: 'newcomer' }));
    const cut = await outage(
      () => watch.cut(),
      () => watch.heal(),
      () => revokeSome(10),
    );
    const seen = { health: await health.stop(), creates: await creates.stop() };
    console.log(`${NODES} nodes, streams cut: ${JSON.stringify({ ...cut, ...seen })}`);
    expect(await worstStaleness()).toBeLessThan(B + SLACK);
    expect(cut.introspections).toBeGreaterThan(NODES);
    expect(cut.accepted).toBeGreaterThan(0);
    expect(seen.health).toMatchObject({ refused: 0 });
    expect(seen.creates).toMatchObject({ refused: 0 });
    expect(Math.max(seen.health.slowestMs, seen.creates.slowestMs)).toBeLessThan(ANSWERED_WITHIN_MS);

    const stopped = await outage(
      () => service.child.signal('SIGSTOP'),
      () => service.child.signal('SIGCONT'),
      () => Promise.resolve(),
    );
    const staleness = await worstStaleness();
    console.log(
      `${NODES} nodes, service stopped: ${JSON.stringify({ ...stopped, worstStaleness: staleness })}`,
    );
    expect(staleness).toBeLessThan(B + SLACK);

    // From memory again: what lives is accepted without a call, what was revoked is refused.
    await revokeSome(10);
    await sleep(B);
    const before = await fleet.report();
    await eventually(async () => (await fleet.report()).totals.hits > before.totals.hits + NODES * 20, {
      within: 20_000,
    });
    expect(await worstStaleness()).toBeLessThan(B + SLACK);
    expect((await service.rest.call('GET', '/readyz')).status).toBe(200);
  }, 180_000);
});
