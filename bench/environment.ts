import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { eventLogMigrations, kurrentdbMigrations } from '#event-log';
import { keysMigrations } from '#keys';
import { createApiKey, startService, type Service } from '#local-cluster';
import { openPool, runMigrations, startEmbeddedPostgres } from '#platform';
import { readModelMigrations } from '#read-models';
import { relayMigrations } from '#revocation-bus';

export const ISSUER = 'curfew-bench';
export const AUDIENCE = 'bench';

/** Of a bench's own statements: filling a database with millions of rows. */
const SEEDING_TIMEOUT_MS = 180_000;

export interface BenchService extends Service {
  /** Bound to the tenant `default`. */
  readonly key: string;
  stop(): Promise<void>;
}

/** A PostgreSQL with the service's schema, for a bench that fills it before the service starts on it. */
export interface BenchDatabase {
  readonly url: string;
  readonly masterKey: string;
  readonly pool: pg.Pool;
  /** Temporary. Goes with `stop`. */
  readonly folder: string;
  stop(): Promise<void>;
}

export interface BenchServiceOptions {
  /** Absent: the service starts its own embedded default. */
  readonly database?: BenchDatabase;
  readonly env?: Readonly<Record<string, string>>;
}

const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'curfew-bench-'));

/** The embedded PostgreSQL in a temporary folder, migrated. */
export async function startBenchDatabase(): Promise<BenchDatabase> {
  const folder = await temporaryFolder();
  const server = await startEmbeddedPostgres({ folder: join(folder, 'data') });
  const pool = openPool(server.url, {
    applicationName: 'curfew-bench',
    max: 4,
    statementTimeoutMs: SEEDING_TIMEOUT_MS,
    transactionTimeoutMs: SEEDING_TIMEOUT_MS,
  });
  await runMigrations(server.url, [
    ...eventLogMigrations,
    ...kurrentdbMigrations,
    ...readModelMigrations,
    ...keysMigrations,
    ...relayMigrations,
  ]);
  return {
    url: server.url,
    masterKey: randomBytes(32).toString('base64url'),
    pool,
    folder,
    stop: async () => {
      await pool.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The built service in a temporary folder, on its embedded default or on a database of the bench's. */
export async function startBenchService({ database, env }: BenchServiceOptions = {}): Promise<BenchService> {
  const parent = await temporaryFolder();
  const service = await startService(join(parent, 'data'), {
    env: {
      CURFEW_ISSUER: ISSUER,
      CURFEW_AUDIENCE: AUDIENCE,
      NODE_ENV: 'development',
      ...(database && {
        DATABASE_URL: database.url,
        CURFEW_MASTER_KEY: database.masterKey,
        CURFEW_FIRST_API_KEY_FILE: join(database.folder, 'first-api-key'),
      }),
      ...env,
    },
  });
  const key = await createApiKey(service, {
    name: 'bench',
    scopes: ['sessions:issue', 'sessions:read', 'sessions:revoke', 'revocations:watch', 'tokens:introspect'],
  });
  return {
    ...service,
    key,
    stop: async () => {
      await service.child.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}
