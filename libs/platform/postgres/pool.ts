import pg from 'pg';

export interface PoolOptions {
  /** Shown in pg_stat_activity. `curfew` unless set. */
  readonly applicationName?: string;
  /** Connections at most. 10 unless set. */
  readonly max?: number;
  /** Milliseconds a statement may take. 5,000 unless set. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds to wait for a connection. 2,000 unless set. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds a transaction may stay open, where the server can tell (PostgreSQL 17). 30,000 unless set; 0: for ever. */
  readonly transactionTimeoutMs?: number;
  /** Told of an idle connection that broke; the pool replaces it. */
  readonly onIdleError?: (error: Error) => void;
}

/** Beyond the server's own statement timeout: a stopped server answers nothing at all. */
const CLIENT_TIMEOUT_MARGIN_MS = 500;

/** What every connection of ours has. */
export function connectionConfig(
  url: string,
  options: { applicationName: string; statementTimeoutMs: number; connectTimeoutMs: number },
): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: options.applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + CLIENT_TIMEOUT_MARGIN_MS,
    idle_in_transaction_session_timeout: 5_000,
    // All our queries look things up. A plan cached while a table was small must not scan it when it is large.
    options: '-c enable_seqscan=off -c jit=off',
  };
}

/**
 * Sets the time after which the server ends an open transaction, whoever holds it up: it would hold back everything that reads
 * the log in order. As an expression, since servers before 17 refuse the name as a start-up option.
 */
export const transactionTimeout = (ms: number, reach: 'session' | 'local' = 'session'): string =>
  `case when current_setting('server_version_num')::int >= 170000
    then set_config('transaction_timeout', '${ms}', ${reach === 'local'}) end`;

/**
 * A pool for reads and small writes. A broken idle connection never crashes the process. Opens nothing until it is used.
 * Errors of its queries are node-postgres's own: see `unavailableIfConnection`.
 */
export function openPool(url: string, options: PoolOptions = {}): pg.Pool {
  const { transactionTimeoutMs = 30_000 } = options;
  const prepare = async (client: pg.ClientBase): Promise<void> => {
    // A server that goes down may say so before the pool's own listener is there; the query then fails and tells.
    client.on('error', () => undefined);
    await client.query(`select ${transactionTimeout(transactionTimeoutMs)}`);
  };
  const pool = new pg.Pool({
    ...connectionConfig(url, {
      applicationName: options.applicationName ?? 'curfew',
      statementTimeoutMs: options.statementTimeoutMs ?? 5_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
    }),
    max: options.max ?? 10,
    idleTimeoutMillis: 30_000,
    // A connection that it fails on is not handed out.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool awaits it, which its types do not say
    onConnect: prepare,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  return pool;
}
