import type { Curfew } from '#sdk';
import { startBenchDatabase, startBenchService, type BenchService } from './environment.js';
import { latency, median, type BenchResult, type Figure } from './measure.js';
import { refusedByAll, startNode } from './nodes.js';
import { finishSeeding, seededSid, seededSub, seedSessions } from './seed-sessions.js';

const SIZES = [1, 10_000, 1_000_000] as const;
const SCOPES = ['user', 'tenant'] as const;
const NODES = 20;
const TRIALS = 50;
const WARM_UP = 20;

type Scope = (typeof SCOPES)[number];
/** Of one scope and size, ms. */
interface Times {
  readonly scope: Scope;
  readonly size: number;
  readonly calls: number[];
  readonly lasts: number[];
}

const tenantWith = (size: number): string => `with-${size}`;

/**
 * Ends all sessions of a user and of a tenant with 1, 10,000 and 1,000,000 sessions (one tenant of each size, all its sessions
 * one user's): the call over REST, and from its answer until the last of 20 nodes refuses a session that they had all accepted.
 * The first call of a size ends them all; the later ones find the same rows and one session that was made since. Sizes in turn.
 */
export async function massRevocation(): Promise<BenchResult> {
  const database = await startBenchDatabase();
  let service: BenchService | undefined;
  const nodes: Curfew[] = [];
  try {
    const begun = performance.now();
    for (const size of SIZES)
      await seedSessions(database, { tenant: tenantWith(size), sessions: size, users: 1 });
    await finishSeeding(database);
    console.error(`  seeded in ${Math.round(performance.now() - begun)} ms`);
    service = await startBenchService({
      database,
      env: { CURFEW_PROJECTOR: 'false', CURFEW_SWEEP_INTERVAL: '0' },
    });
    const address = { ...service, key: service.apiKey };
    for (let count = 0; count < NODES; count += 1) nodes.push(await startNode(address, '*'));
    for (let turn = 0; turn < WARM_UP; turn += 1) await trial(nodes, SCOPES[turn % 2]!, 'warm-up');
    return { bench: 'mass-revocation', figures: await measured(nodes) };
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
    await service?.stop();
    await database.stop();
  }
}

async function measured(nodes: readonly Curfew[]): Promise<Figure[]> {
  const all = SCOPES.flatMap((scope) => SIZES.map((size): Times => ({ scope, size, calls: [], lasts: [] })));
  const firsts: Figure[] = [];
  for (const size of SIZES) firsts.push(await firstCall(nodes, size));
  for (let turn = 0; turn < TRIALS; turn += 1) {
    for (let i = 0; i < all.length; i += 1) {
      const times = all[(turn + i) % all.length]!;
      const { call, last } = await trial(nodes, times.scope, tenantWith(times.size));
      times.calls.push(call);
      times.lasts.push(last);
    }
  }
  return [...firsts, ...all.flatMap(figuresOf), ...SCOPES.map((scope) => ratio(all, scope))];
}

/** The one that finds them all alive. @throws Error if one of them lives on */
async function firstCall(nodes: readonly Curfew[], size: number): Promise<Figure> {
  const tenant = tenantWith(size);
  const { sessions } = nodes[0]!;
  const statusOf = async (number: number) =>
    (await sessions.get(seededSid(tenant, number), { tenant })).status;
  const some = [0, Math.floor(size / 2), size - 1];
  const before = await Promise.all(some.map(statusOf));
  const { call } = await trial(nodes, 'user', tenant);
  const after = await Promise.all(some.map(statusOf));
  if (before.some((status) => status !== 'active') || after.some((status) => status !== 'revoked'))
    throw new Error(
      `of ${size} sessions some were ${before.join()} before the revocation, ${after.join()} after it`,
    );
  return { name: `the first call, ends ${sessionsOf(size)} of a user`, value: call, unit: 'ms' };
}

async function trial(
  nodes: readonly Curfew[],
  scope: Scope,
  tenant: string,
): Promise<{ call: number; last: number }> {
  const { sessions } = nodes[0]!;
  const sub = seededSub(0);
  const { accessToken = '' } = await sessions.create({ sub, tenant });
  await Promise.all(nodes.map((node) => node.verify(accessToken)));
  const called = performance.now();
  await sessions.revokeAll({ scope, tenant, ...(scope === 'user' && { sub }) });
  const returned = performance.now();
  await refusedByAll(nodes, accessToken);
  return { call: returned - called, last: performance.now() - returned };
}

function figuresOf({ scope, size, calls, lasts }: Times): Figure[] {
  const of = `${scope} with ${sessionsOf(size)}`;
  return [
    ...latency(`${of}: the call`, calls),
    ...latency(`${of}: answered → last of ${NODES} nodes refuses`, lasts),
  ].filter(({ name }) => !name.endsWith('max'));
}

function ratio(all: readonly Times[], scope: Scope): Figure {
  const callOf = (size: number): number =>
    median(all.find((times) => times.scope === scope && times.size === size)?.calls ?? []);
  const value = callOf(SIZES[2]) / callOf(SIZES[0]);
  return {
    name: `${scope}: the call, 1,000,000 / 1, medians`,
    value,
    unit: '×',
    note: 'target: the same time',
  };
}

const sessionsOf = (size: number): string =>
  `${size.toLocaleString('en')} ${size === 1 ? 'session' : 'sessions'}`;
