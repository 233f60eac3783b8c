import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';

/** What the service says when it serves, and writes to `<data folder>/endpoints.json`. */
export interface Endpoints {
  readonly http: string;
  readonly grpc: string;
}

export interface Service extends Endpoints {
  readonly child: Child<Endpoints>;
  /** The first API key: scope `admin` and every other, every tenant. */
  readonly apiKey: string;
  readonly dataFolder: string;
}

/** The project's root, seen from the sources as well as from `dist`. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'nest-cli.json'))) folder = dirname(folder);
  return folder;
}

/** A script of the built project. */
export const built = (path: string): string => join(projectRoot(), 'dist', path);

/** The service refuses to start with a `CURFEW_` variable that it does not know. */
const withoutTestSettings = (): Record<string, undefined> =>
  Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => name.startsWith('CURFEW_TEST_'))
      .map((name) => [name, undefined]),
  );

/** Starts the built service on its embedded default, in a folder of its own and on free ports unless `env` says otherwise. */
export async function startService(
  dataFolder: string,
  options: { env?: Readonly<Record<string, string>>; onLine?: (line: string) => void } = {},
): Promise<Service> {
  const child = await Child.start<Endpoints>({
    args: [built('apps/session-service/main.js')],
    env: {
      ...withoutTestSettings(),
      DATABASE_URL: undefined,
      KURRENTDB_URL: undefined,
      KAFKA_BROKERS: undefined,
      CURFEW_DATA_DIR: dataFolder,
      CURFEW_HTTP_PORT: '0',
      CURFEW_GRPC_PORT: '0',
      CURFEW_LOG_LEVEL: 'warn',
      ...options.env,
    },
    ...(options.onLine ? { onLine: options.onLine } : {}),
  });
  const keyFile = options.env?.['CURFEW_FIRST_API_KEY_FILE'] ?? join(dataFolder, 'first-api-key');
  return { ...child.ready, child, dataFolder, apiKey: readFileSync(keyFile, 'utf8').trim() };
}
