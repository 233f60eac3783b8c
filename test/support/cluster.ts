import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_KEY_SCOPES, type ApiKeyScope } from '#contracts';
import { createApiKey, startService, type Service } from '#local-cluster';
import { logEnvironment, removeLog } from './log.js';
import { restClient, type RestClient } from './rest.js';

export const ISSUER = 'curfew-test';
export const AUDIENCE = 'test';

/** Rounds of a seeded test: a few in CI, more with `ROUNDS=50 npm run test:system`. */
export const rounds = (few: number): number => Number(process.env['ROUNDS'] ?? few);

/** The seed of a race test, printed with its name; `SEED=…` repeats it. */
export const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

/** A small deterministic generator (mulberry32): the same seed plays the same test. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Prints what the services log. */
const VERBOSE = process.env['CURFEW_TEST_VERBOSE'] !== undefined;

export interface TestService extends Service {
  /** Bound to the tenant `default`, with every scope. */
  readonly key: string;
  readonly rest: RestClient;
}

/** A temporary data folder, removed by `remove` together with the log that its service had beside it. */
export async function dataFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'curfew-test-'));
  const path = join(parent, 'data');
  return {
    path,
    remove: async () => {
      await removeLog(path);
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** Starts the built service on the log under test and makes a key with every scope for the tenant `default`. */
export async function startTestService(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const log = await logEnvironment(folder);
  const service = await startService(folder, {
    env: { CURFEW_ISSUER: ISSUER, CURFEW_AUDIENCE: AUDIENCE, ...log, ...env },
    ...(VERBOSE ? { onLine: (line: string) => console.log(line) } : {}),
  });
  const key = await makeKey(service, ['default']);
  return { ...service, key, rest: restClient(service.http, key) };
}

/** Settings of a service on a PostgreSQL that is not its own. The first API key is written to the data folder. */
export async function externalDatabase(folder: string, url: string): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true });
  return {
    DATABASE_URL: url,
    CURFEW_MASTER_KEY: randomBytes(32).toString('base64url'),
    CURFEW_FIRST_API_KEY_FILE: join(folder, 'first-api-key'),
  };
}

export const makeKey = (
  service: Service,
  tenants: readonly string[],
  scopes: readonly ApiKeyScope[] = API_KEY_SCOPES,
): Promise<string> => createApiKey(service, { name: `test ${tenants.join()}`, scopes, tenants });

/** Awaits a condition: asks every few milliseconds. @throws Error when it has not become true in time. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { within = 10_000, what = 'the condition' }: { within?: number; what?: string } = {},
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`${what} did not become true within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
