import { rm } from 'node:fs/promises';
import pg from 'pg';
import { dataFolder, externalDatabase, startTestService, type TestService } from './cluster.js';
import { makeTopic, topicName } from './lanes.js';
import { OwnPostgres } from './own-postgres.js';

export const LANES = 4;

/** Instances on one PostgreSQL that publish to topics of their own. */
export class Relayed {
  private readonly instances: TestService[] = [];

  private constructor(
    readonly pool: pg.Pool,
    readonly topic: string,
    readonly eventsTopic: string,
    private readonly folder: { readonly path: string; remove(): Promise<void> },
    private readonly postgres: OwnPostgres,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(brokers: readonly string[], what: string): Promise<Relayed> {
    const folder = await dataFolder();
    const [topic, eventsTopic] = [topicName(what), topicName(`${what}-events`)];
    await makeTopic(brokers, topic, LANES);
    await makeTopic(brokers, eventsTopic, 1);
    const postgres = await OwnPostgres.start(`${folder.path}-pg`);
    const database = await externalDatabase(folder.path, postgres.url);
    const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
    pool.on('error', () => undefined);
    return new Relayed(pool, topic, eventsTopic, folder, postgres, {
      ...database,
      KAFKA_BROKERS: brokers.join(','),
      CURFEW_KAFKA_REVOCATIONS_TOPIC: topic,
      CURFEW_KAFKA_SESSION_EVENTS_TOPIC: eventsTopic,
    });
  }

  async instance(): Promise<TestService> {
    const service = await startTestService(this.folder.path, this.env);
    this.instances.push(service);
    return service;
  }

  /** The relay's record; undefined before the first leadership. */
  async record(): Promise<{ stream_id: string; incarnation: number; lanes: number } | undefined> {
    const { rows } = await this.pool.query<{ stream_id: string; incarnation: string; lanes: number }>(
      'select stream_id, incarnation, lanes from curfew.relay',
    );
    return rows[0] && { ...rows[0], incarnation: Number(rows[0].incarnation) };
  }

  /** The instance that says that it leads; undefined where none does, or several. */
  async leader(): Promise<TestService | undefined> {
    const running = this.instances.filter(({ child }) => child.running);
    const leading = await Promise.all(running.map(leads));
    const [first, ...others] = running.filter((_, i) => leading[i]);
    return others.length === 0 ? first : undefined;
  }

  async close(): Promise<void> {
    const running = this.instances.filter(({ child }) => child.running);
    for (const { child } of running) child.signal('SIGCONT');
    await Promise.all(running.map(({ child }) => child.stop()));
    await this.pool.end();
    await this.postgres.stop();
    await this.folder.remove();
    await rm(`${this.folder.path}-pg`, { recursive: true, force: true });
  }
}

async function leads({ http, apiKey }: TestService): Promise<boolean> {
  try {
    const answer = await fetch(`${http}/metrics`, {
      headers: { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(1_000),
    });
    return /^curfew_relay_leader 1$/m.test(await answer.text());
  } catch {
    return false;
  }
}

export async function newSession({ rest }: TestService, sub: string): Promise<string> {
  const { body } = await rest.call<{ sid: string }>('POST', '/v1/sessions', { sub, client: 'web' });
  return body.sid;
}

/** @throws Error when it is refused */
export async function revoke({ rest }: TestService, sid: string): Promise<void> {
  const { status } = await rest.call('DELETE', `/v1/sessions/${sid}`);
  if (status >= 300) throw new Error(`revoke answered ${status}`);
}
