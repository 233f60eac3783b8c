import pg from 'pg';
import type { ProjectionStatus } from '#application';
import type { Service } from '#local-cluster';
import { eventually } from './cluster.js';
import { restClient } from './rest.js';

export const PROJECTIONS = ['sessions', 'security-feed', 'counters'] as const;
export type ProjectionName = (typeof PROJECTIONS)[number];

/** The views that a query sees, by the projection that keeps them, and what orders their rows. */
const VIEWS: Readonly<Record<ProjectionName, { readonly view: string; readonly key: string }>> = {
  sessions: { view: 'curfew.session_views', key: 'sid' },
  'security-feed': { view: 'curfew.security_feed', key: 'event_id' },
  counters: { view: 'curfew.hourly_counts', key: 'tenant, hour, name' },
};

/** A service's projections as an operator sees them. */
export class OperatedProjections {
  private readonly rest;

  constructor(service: Pick<Service, 'http' | 'apiKey'>) {
    this.rest = restClient(service.http, service.apiKey);
  }

  async status(): Promise<readonly ProjectionStatus[]> {
    const { status, body } = await this.rest.call<{ projections: ProjectionStatus[] }>(
      'GET',
      '/v1/projections',
    );
    if (status !== 200) throw new Error(`the status of the projections: ${status}`);
    return body.projections;
  }

  async of(name: ProjectionName): Promise<ProjectionStatus> {
    const found = (await this.status()).find((each) => each.name === name);
    if (found === undefined) throw new Error(`no projection ${name}`);
    return found;
  }

  /** All live, and nothing of the log is missing in any. */
  async caughtUp(): Promise<void> {
    await eventually(
      async () => (await this.status()).every(({ state, lagEvents }) => state === 'live' && lagEvents === 0),
      { within: 20_000, what: 'the end of every lag' },
    );
  }

  async startRebuild(name: ProjectionName): Promise<void> {
    const { status } = await this.rest.call('POST', `/v1/projections/${name}/rebuild`);
    if (status !== 202) throw new Error(`the rebuild of ${name}: ${status}`);
  }

  async resume(name: ProjectionName): Promise<void> {
    const { status } = await this.rest.call('POST', `/v1/projections/${name}/resume`);
    if (status !== 202) throw new Error(`the resumption of ${name}: ${status}`);
  }

  /** Rebuilds it, also when another rebuild is under way: that one is waited for first. */
  async rebuild(name: ProjectionName): Promise<void> {
    await this.settled(name);
    const { version } = await this.of(name);
    await this.startRebuild(name);
    const after = await this.settled(name);
    if (after.version <= version) throw new Error(`${name} was not rebuilt: version ${after.version}`);
  }

  /** Resolves when no rebuild is under way. */
  settled(name: ProjectionName): Promise<ProjectionStatus> {
    return eventually(
      async () => {
        const status = await this.of(name);
        if (status.rebuild?.state === 'failed')
          throw new Error(`the rebuild of ${name}: ${status.rebuild.error}`);
        return status.rebuild === undefined && status;
      },
      { within: 20_000, what: `the end of the rebuild of ${name}` },
    );
  }
}

/** Rows of a projection's view, each as text, in the order of its key. */
export async function viewRows(databaseUrl: string, name: ProjectionName): Promise<string[]> {
  const { view, key } = VIEWS[name];
  return inDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query<{ row: string }>(
      `SELECT v::text AS row FROM ${view} v ORDER BY ${key}`,
    );
    return rows.map(({ row }) => row);
  });
}

/** Looks behind the doors. */
export async function inDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
