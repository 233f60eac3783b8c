/**
 * A stand-in for the service: runs an embedded PostgreSQL on the folder of its first argument, prints one JSON line, and on
 * SIGTERM or SIGINT still writes a row before it stops the server.
 */
import pg from 'pg';
import { isCurfewError } from '#contracts';
import { startEmbeddedPostgres } from '#platform';

const say = (line: Record<string, unknown>): void => console.log(JSON.stringify(line));

try {
  const server = await startEmbeddedPostgres({
    folder: process.argv[2] ?? '',
    onLost: () => {
      say({ lost: true });
      process.exit(3);
    },
  });
  const stop = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query("CREATE TABLE IF NOT EXISTS farewell AS SELECT 'written after the signal' AS word");
    await client.end();
    await server.stop();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  say({ url: server.url, pid: server.pid, port: server.port });
  // The server does not keep its service alive.
  setInterval(() => undefined, 60_000);
} catch (error) {
  say(isCurfewError(error) ? { code: error.code, detail: error.detail } : { crash: String(error) });
  process.exit(2);
}
