import pg from 'pg';
import { CurfewError } from '#contracts';
import { connectionConfig, transactionTimeout } from './pool.js';
import { SAFETY_COLUMNS, unsafeServer, type SafetyRow } from './server-safety.js';
import { connectionSurvives, unavailableIfConnection } from './unavailable.js';

export interface DedicatedConnectionOptions {
  readonly applicationName: string;
  /** Milliseconds a statement may take, on the server; half a second later the connection is given up. */
  readonly statementTimeoutMs: number;
  /** 2,000 unless set. */
  readonly connectTimeoutMs?: number;
  /** Called on every new session before it is used. */
  readonly onConnect?: (client: pg.Client) => Promise<void>;
  /** Called when a session that was in use is gone. */
  readonly onLost?: () => void;
}

/** Statements that run one after the other in one session of the server. */
export interface Session {
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig<unknown[]>): Promise<pg.QueryResult<R>>;
  /**
   * An autocommitted statement whose success is acknowledged only if its commit is as durable as the server was told to make
   * it: a commit with the WARNING that the wait for synchronous replication was cancelled reports success and is none.
   */
  durable<R extends pg.QueryResultRow>(query: pg.QueryConfig<unknown[]>): Promise<pg.QueryResult<R>>;
}

/**
 * A WARNING must reach us whatever the role's settings say (it is all that tells of a cancelled wait for a standby), and
 * the append function counts on a new snapshot for each of its statements.
 */
const SESSION_SETUP = `
  select set_config('client_min_messages', 'warning', false),
         set_config('default_transaction_isolation', 'read committed', false),
         ${transactionTimeout(5_000)},
         ${SAFETY_COLUMNS}`;

/**
 * One connection that connects when it is first used and again after it was lost, and never to a server that is unsafe
 * (`unsafeServer`). Statements run one after the other. A statement that fails with its connection is not repeated: its
 * outcome is unknown.
 * Errors: CurfewError ERR_UNAVAILABLE for all that has to do with the connection; node-postgres's own for the rest.
 */
export class DedicatedConnection {
  private client: pg.Client | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly options: DedicatedConnectionOptions,
  ) {}

  /** Process id of the server's session; undefined when not connected. */
  get backendPid(): number | undefined {
    // node-postgres keeps it from BackendKeyData; its types do not list it.
    return (this.client as { processID?: number } | undefined)?.processID;
  }

  /** Connects unless connected. */
  async connect(): Promise<void> {
    await this.inTurn(() => this.connected());
  }

  /** Gives `work` the connection to itself. Its statements run in one session, or fail when that is lost. */
  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      const client = await this.connected();
      return work({
        query: (query) => this.run(client, query),
        durable: (query) => this.runDurable(client, query),
      });
    });
  }

  /** One statement. */
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig<unknown[]>): Promise<pg.QueryResult<R>> {
    return this.session((session) => session.query<R>(query));
  }

  /** One statement, durable as in `Session.durable`. */
  durable<R extends pg.QueryResultRow>(query: pg.QueryConfig<unknown[]>): Promise<pg.QueryResult<R>> {
    return this.session((session) => session.durable<R>(query));
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = this.client;
    this.client = undefined;
    await client?.end();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work, work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async run<R extends pg.QueryResultRow>(
    client: pg.Client,
    query: pg.QueryConfig<unknown[]>,
  ): Promise<pg.QueryResult<R>> {
    try {
      return await client.query<R>(query);
    } catch (error) {
      if (!connectionSurvives(error)) this.drop(client);
      throw unavailableIfConnection(error);
    }
  }

  private async runDurable<R extends pg.QueryResultRow>(
    client: pg.Client,
    query: pg.QueryConfig<unknown[]>,
  ): Promise<pg.QueryResult<R>> {
    let warned = false;
    const onNotice = (notice: { code?: string | undefined }): void => {
      // By class: the text of the message is in the server's language.
      warned ||= notice.code?.startsWith('01') ?? false;
    };
    client.on('notice', onNotice);
    try {
      const result = await this.run<R>(client, query);
      if (warned) throw unconfirmed();
      return result;
    } finally {
      client.off('notice', onNotice);
    }
  }

  private async connected(): Promise<pg.Client> {
    if (this.client !== undefined) return this.client;
    if (this.closed) throw new CurfewError('ERR_UNAVAILABLE', { cause: new Error('connection is closed') });
    const client = new pg.Client(connectionConfig(this.url, { connectTimeoutMs: 2_000, ...this.options }));
    client.on('error', () => this.drop(client));
    client.on('end', () => this.drop(client));
    try {
      await client.connect();
      const { rows } = await client.query<SafetyRow>(SESSION_SETUP);
      const reason = rows[0] && unsafeServer(rows[0]);
      if (reason !== undefined) throw new CurfewError('ERR_UNAVAILABLE', { cause: new Error(reason) });
      await this.options.onConnect?.(client);
    } catch (error) {
      client.connection.stream.destroy();
      throw unavailableIfConnection(error);
    }
    if (this.closed) {
      await client.end();
      throw new CurfewError('ERR_UNAVAILABLE', { cause: new Error('connection is closed') });
    }
    this.client = client;
    return client;
  }

  /** At once and without a goodbye, which a stopped server would never answer. */
  private drop(client: pg.Client): void {
    client.connection.stream.destroy();
    if (this.client !== client) return;
    this.client = undefined;
    this.options.onLost?.();
  }
}

const unconfirmed = (): CurfewError =>
  new CurfewError('ERR_UNAVAILABLE', {
    cause: new Error('the commit was not confirmed by the synchronous standbys'),
  });
