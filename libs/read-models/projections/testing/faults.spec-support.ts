import type pg from 'pg';

/** Cuts the connection before the statement is sent, or when the server has executed it and nobody has read the answer. */
export function cutAt(client: pg.PoolClient, when: 'before' | 'after', due: () => boolean): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const stream = client.connection.stream;
  client.query = ((...args: unknown[]) => {
    if (!due()) return query(...args);
    if (when === 'before') stream.destroy();
    else {
      stream.pause();
      setTimeout(() => stream.destroy(), 15);
    }
    return query(...args);
  }) as typeof client.query;
}

/** As if the process stood still: its statements wait. Returns the thaw. */
export function freeze(pool: pg.Pool): () => void {
  let thaw = (): void => undefined;
  const frozen = new Promise<void>((resolve) => (thaw = resolve));
  const connect = pool.connect.bind(pool) as (callback?: unknown) => Promise<pg.PoolClient>;
  pool.connect = ((callback?: unknown) =>
    typeof callback === 'function'
      ? void frozen.then(() => connect(callback))
      : frozen.then(() => connect())) as typeof pool.connect;
  return thaw;
}
