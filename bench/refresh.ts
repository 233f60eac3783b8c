import { grpcDoor, restDoor, type Door } from './doors.js';
import { startBenchService, type BenchService } from './environment.js';
import { closedLoop, latency, until, type BenchResult, type Figure } from './measure.js';
import { cpuSeconds, postmasterPid } from './process-usage.js';

const CALLERS = 64;
const WARM_UP_MS = 2_000;
const MEASURED_MS = 6_000;
const SESSIONS_PER_CALLER = 32;

/**
 * Create and refresh per second, durable, 64 callers, through both doors, and the processor time that each call costs. The
 * service, PostgreSQL and the callers share the machine. Refreshes go round 2,048 sessions, so each session has few rotations.
 */
export async function refresh(): Promise<BenchResult> {
  const service = await startBenchService();
  const figures: Figure[] = [];
  try {
    for (const door of [grpcDoor(service), restDoor(service)]) {
      figures.push(...(await benchCreate(service, door)), ...(await benchRefresh(service, door)));
      door.close();
    }
  } finally {
    await service.stop();
  }
  return { bench: 'refresh', figures };
}

async function benchCreate(service: BenchService, door: Door): Promise<Figure[]> {
  let users = 0;
  const create = async (): Promise<void> => {
    await door.create(`${door.name}-user-${(users += 1)}`);
  };
  return measured(service, `create, ${door.name}`, create, 'target ≥ 5,000 (gRPC)');
}

async function benchRefresh(service: BenchService, door: Door): Promise<Figure[]> {
  const tokens = await Promise.all(
    Array.from({ length: CALLERS }, (_, caller) => createSome(door, `${door.name}-rotating-${caller}`)),
  );
  const turns = new Array<number>(CALLERS).fill(0);
  const rotate = async (caller: number): Promise<void> => {
    const own = tokens[caller] as string[];
    const slot = (turns[caller] = (turns[caller] ?? 0) + 1) % own.length;
    own[slot] = (await door.refresh(own[slot] ?? '')).refreshToken;
  };
  return measured(service, `refresh, ${door.name}`, rotate, 'target ≥ 4,000 (gRPC)');
}

async function createSome(door: Door, name: string): Promise<string[]> {
  const tokens: string[] = [];
  for (let index = 0; index < SESSIONS_PER_CALLER; index += 1) {
    tokens.push((await door.create(`${name}-${index}`)).refreshToken);
  }
  return tokens;
}

async function measured(
  service: BenchService,
  name: string,
  call: (caller: number) => Promise<void>,
  target: string,
): Promise<Figure[]> {
  const pids = { service: service.child.pid, PostgreSQL: postmasterPid(service.dataFolder) };
  await closedLoop(CALLERS, WARM_UP_MS, call);
  const before = { ...cpuSeconds(pids), callers: ownCpuSeconds() };
  const { perSecond, latencies } = await closedLoop(CALLERS, MEASURED_MS, call);
  const after = { ...cpuSeconds(pids), callers: ownCpuSeconds() };
  const behind = await projectionLag(service);
  // What is left of one phase would be paid by the next.
  await until('the projections have caught up', async () => (await projectionLag(service)) === 0);
  const perCall = (of: keyof typeof before): Figure => ({
    name: `${name}: processor time of ${of}, a call`,
    value: (1e6 * (after[of] - before[of])) / latencies.length,
    unit: 'µs',
  });
  return [
    { name, value: perSecond, unit: '/s', note: target },
    ...latency(name, latencies).filter(({ name: figure }) => !figure.endsWith('max')),
    perCall('callers'),
    perCall('service'),
    perCall('PostgreSQL'),
    { name: `${name}: events that a projection was behind at the end`, value: behind, unit: '' },
  ];
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function projectionLag({ http, apiKey }: BenchService): Promise<number> {
  const answer = await fetch(`${http}/v1/projections`, { headers: { authorization: `Bearer ${apiKey}` } });
  const { projections } = (await answer.json()) as { projections: { lagEvents: number }[] };
  return Math.max(...projections.map(({ lagEvents }) => lagEvents));
}
