import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_KEY_SCOPES } from '#contracts';
import { startService, type Service } from '#local-cluster';
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

export interface TestService extends Service {
  /** Bound to the tenant `default`, with every scope. */
  readonly key: string;
  readonly rest: RestClient;
}

/** A temporary data folder, removed by `remove`. */
export async function dataFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'curfew-test-'));
  return { path: join(parent, 'data'), remove: () => rm(parent, { recursive: true, force: true }) };
}

/** Starts the built service and makes a key with every scope for the tenant `default`. */
export async function startTestService(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const service = await startService(folder, {
    env: { CURFEW_ISSUER: ISSUER, CURFEW_AUDIENCE: AUDIENCE, ...env },
  });
  const key = await makeKey(service, ['default']);
  return { ...service, key, rest: restClient(service.http, key) };
}

export async function makeKey(
  service: Service,
  tenants: readonly string[],
  scopes: readonly string[] = API_KEY_SCOPES,
): Promise<string> {
  const { status, body } = await restClient(service.http, service.apiKey).call<{ key: string }>(
    'POST',
    '/v1/api-keys',
    {
      name: `test ${tenants.join()}`,
      scopes,
      tenants,
    },
  );
  if (status !== 201) throw new Error(`making a key: ${status} ${JSON.stringify(body)}`);
  return body.key;
}

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
