import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, type Service } from '#local-cluster';
import { AUDIENCE, ISSUER } from './cluster.js';

const postmasterFile = (folder: string): string[] =>
  readFileSync(join(folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n');

/** Process id of the PostgreSQL that runs in a data folder. */
export const postmasterPid = (folder: string): number => Number(postmasterFile(folder)[0]);

/** The embedded database's URL, for a test that looks behind the doors. */
export function embeddedUrl(folder: string): string {
  const password = readFileSync(join(folder, 'postgres/password'), 'utf8').trim();
  return `postgres://curfew:${encodeURIComponent(password)}@127.0.0.1:${postmasterFile(folder)[3] ?? ''}/curfew`;
}

/** One more instance on the log and the keys of the one that runs in this folder. */
export const startSecondInstance = (folder: string): Promise<Service> =>
  startService(folder, {
    env: {
      CURFEW_ISSUER: ISSUER,
      CURFEW_AUDIENCE: AUDIENCE,
      DATABASE_URL: embeddedUrl(folder),
      CURFEW_MASTER_KEY: readFileSync(join(folder, 'master-key'), 'utf8').trim(),
      CURFEW_FIRST_API_KEY_FILE: join(folder, 'first-api-key'),
    },
  });
