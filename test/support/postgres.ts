import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDatabase {
  readonly url: string;
  /** Ends all connections to it. */
  drop(): Promise<void>;
}

/**
 * A fresh, empty database on the server that the contract tests share. Cost: about 50 ms. Call `drop` in `afterAll`, after
 * closing pools: it would cut their connections.
 */
export async function createDatabase(): Promise<TestDatabase> {
  const server = process.env['CURFEW_TEST_POSTGRES_URL'];
  if (server === undefined) throw new Error('no PostgreSQL: run this test in the Jest project "contract"');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runOnServer(server, `CREATE DATABASE ${name} TEMPLATE template0`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runOnServer(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function runOnServer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
