import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const postmasterFile = (folder: string): string[] =>
  readFileSync(join(folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n');

/** Process id of the PostgreSQL that runs in a data folder. */
export const postmasterPid = (folder: string): number => Number(postmasterFile(folder)[0]);

/** The embedded database's URL, for a test that looks behind the doors. */
export function embeddedUrl(folder: string): string {
  const password = readFileSync(join(folder, 'postgres/password'), 'utf8').trim();
  return `postgres://curfew:${encodeURIComponent(password)}@127.0.0.1:${postmasterFile(folder)[3] ?? ''}/curfew`;
}
