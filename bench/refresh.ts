import { grpcDoor, restDoor, type Door } from './doors.js';
import { startBenchService } from './environment.js';
import { closedLoop, latency, type BenchResult, type Figure } from './measure.js';

const CALLERS = 64;
const WARM_UP_MS = 2_000;
const MEASURED_MS = 6_000;
const SESSIONS_PER_CALLER = 32;

/**
 * Create and refresh per second, durable, 64 callers, through both doors. The service, PostgreSQL and the callers share the
 * machine. Refreshes go round 2,048 sessions, so each session has few rotations.
 */
export async function refresh(): Promise<BenchResult> {
  const service = await startBenchService();
  const figures: Figure[] = [];
  try {
    for (const door of [grpcDoor(service), restDoor(service)]) {
      figures.push(...(await benchCreate(door)), ...(await benchRefresh(door)));
      door.close();
    }
  } finally {
    await service.stop();
  }
  return { bench: 'refresh', figures };
}

async function benchCreate(door: Door): Promise<Figure[]> {
  let users = 0;
  const create = async (): Promise<void> => {
    await door.create(`${door.name}-user-${(users += 1)}`);
  };
  await closedLoop(CALLERS, WARM_UP_MS, create);
  return told(
    `create, ${door.name}`,
    await closedLoop(CALLERS, MEASURED_MS, create),
    'target ≥ 5,000 (gRPC)',
  );
}

async function benchRefresh(door: Door): Promise<Figure[]> {
  const tokens = await Promise.all(
    Array.from({ length: CALLERS }, (_, caller) => createSome(door, `${door.name}-rotating-${caller}`)),
  );
  const turns = new Array<number>(CALLERS).fill(0);
  const rotate = async (caller: number): Promise<void> => {
    const own = tokens[caller] as string[];
    const slot = (turns[caller] = (turns[caller] ?? 0) + 1) % own.length;
    own[slot] = (await door.refresh(own[slot] ?? '')).refreshToken;
  };
  await closedLoop(CALLERS, WARM_UP_MS, rotate);
  return told(
    `refresh, ${door.name}`,
    await closedLoop(CALLERS, MEASURED_MS, rotate),
    'target ≥ 4,000 (gRPC)',
  );
}

async function createSome(door: Door, name: string): Promise<string[]> {
  const tokens: string[] = [];
  for (let index = 0; index < SESSIONS_PER_CALLER; index += 1) {
    tokens.push((await door.create(`${name}-${index}`)).refreshToken);
  }
  return tokens;
}

function told(name: string, run: { perSecond: number; latencies: number[] }, note: string): Figure[] {
  return [
    { name, value: run.perSecond, unit: '/s', note },
    ...latency(name, run.latencies).filter(({ name: figure }) => !figure.endsWith('max')),
  ];
}
