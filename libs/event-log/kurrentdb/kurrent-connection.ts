import { KurrentDBClient } from '@kurrent/kurrentdb-client';
import { CurfewError, isCurfewError } from '#contracts';
import { within, type Patience } from './deadline.js';
import { fromClient } from './kurrent-errors.js';

const KEEP_ALIVE_MS = 10_000;
/** A new client is made at most this often, however many calls fail. */
const REPLACE_EVERY_MS = 250;
/** Longer than any call on a connection that was given up. */
const LINGER_MS = 15_000;

/** No two clients of a process may have the same. */
let connections = 0;

/** What the client has and does not show (1.3.1). */
interface ClientInternals {
  handleError: () => Promise<void>;
  getChannel: () => Promise<{ close(): void }>;
}

/**
 * A client with a connection of its own, made when it is first used and made anew after a failure of the connection.
 *
 * - gRPC shares one connection among all channels of a process with the same options, and its back-off grows up to two
 *   minutes. So each client gets another keep-alive interval, by a few milliseconds: the loads are apart, and a new client
 *   connects at once.
 * - The client closes its channel when a call fails. Calls that are about to begin on it then throw where nobody can catch
 *   (an unhandled rejection ends the process). So it is kept from that; channels are closed here, long after their last call.
 */
export class KurrentConnection {
  private current: KurrentDBClient | undefined;
  private replacedAt = -Infinity;
  /** The current client has failed, too soon after it was made. */
  private suspect = false;
  private closed = false;
  private readonly retired = new Map<KurrentDBClient, NodeJS.Timeout>();

  /** @param url connection string @param name shown by the server */
  constructor(
    private readonly url: string,
    private readonly name: string,
  ) {}

  /**
   * One call, given up after `ms` without an answer.
   * @throws CurfewError ERR_UNAVAILABLE, ERR_LOG_STORE_REFUSED; the client's own errors for the rest.
   */
  async call<T>(ms: number, work: (client: KurrentDBClient, patience: Patience) => Promise<T>): Promise<T> {
    const client = this.client();
    try {
      return await within(ms, (patience) => work(client, patience));
    } catch (error) {
      const mapped = fromClient(error);
      if (isCurfewError(mapped, 'ERR_UNAVAILABLE')) this.replace(client);
      throw mapped;
    }
  }

  /** For subscriptions, which say themselves when they want another (`replace`). */
  client(): KurrentDBClient {
    if (this.closed) throw new CurfewError('ERR_UNAVAILABLE', { cause: new Error('the log is closed') });
    if (this.suspect && this.current !== undefined) this.replace(this.current);
    return (this.current ??= this.connect());
  }

  /** The next call gets another client: if this one has just been made, the next call after a while. */
  replace(client: KurrentDBClient): void {
    if (client !== this.current) return;
    const now = performance.now();
    this.suspect = now - this.replacedAt < REPLACE_EVERY_MS;
    if (this.suspect) return;
    this.replacedAt = now;
    this.current = undefined;
    this.retired.set(client, setTimeout(() => this.closeClient(client), LINGER_MS).unref());
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    this.closed = true;
    const clients = [...this.retired.keys(), ...(this.current ? [this.current] : [])];
    this.current = undefined;
    await Promise.all(clients.map((client) => client.dispose()));
    for (const client of clients) this.closeClient(client);
  }

  private connect(): KurrentDBClient {
    const client = KurrentDBClient.connectionString(ownConnection(this.url, this.name));
    (client as unknown as ClientInternals).handleError = () => Promise.resolve();
    return client;
  }

  private closeClient(client: KurrentDBClient): void {
    clearTimeout(this.retired.get(client));
    this.retired.delete(client);
    (client as unknown as ClientInternals).getChannel().then(
      (channel) => channel.close(),
      () => undefined,
    );
  }
}

function ownConnection(url: string, name: string): string {
  connections += 1;
  const [address = '', query = ''] = url.split('?', 2);
  const parameters = query.split('&').filter((parameter) => parameter !== '');
  const isKeepAlive = (parameter: string): boolean => /^keep[-_]?alive[-_]?interval=/i.test(parameter);
  const keepAlive = Number(parameters.find(isKeepAlive)?.split('=')[1] ?? KEEP_ALIVE_MS);
  const kept = parameters.filter((parameter) => !isKeepAlive(parameter));
  const own = [`keepAliveInterval=${keepAlive < 0 ? keepAlive : keepAlive + (connections % 10_000)}`];
  if (!/(^|&)connection[-_]?name=/i.test(query)) own.push(`connectionName=${name}`);
  return `${address}?${[...kept, ...own].join('&')}`;
}
