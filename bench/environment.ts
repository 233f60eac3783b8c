import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService, type Service } from '#local-cluster';

export const ISSUER = 'curfew-bench';
export const AUDIENCE = 'bench';

export interface BenchService extends Service {
  /** Bound to the tenant `default`. */
  readonly key: string;
  stop(): Promise<void>;
}

/** The built service on its embedded default, in a temporary folder. */
export async function startBenchService(): Promise<BenchService> {
  const parent = await mkdtemp(join(tmpdir(), 'curfew-bench-'));
  const service = await startService(join(parent, 'data'), {
    env: { CURFEW_ISSUER: ISSUER, CURFEW_AUDIENCE: AUDIENCE, NODE_ENV: 'development' },
  });
  const response = await fetch(`${service.http}/v1/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'bench',
      scopes: [
        'sessions:issue',
        'sessions:read',
        'sessions:revoke',
        'revocations:watch',
        'tokens:introspect',
      ],
    }),
  });
  const { key } = (await response.json()) as { key: string };
  return {
    ...service,
    key,
    stop: async () => {
      await service.child.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}
