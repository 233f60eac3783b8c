import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** `up`: from the client to the server is cut alone; `down`: the other way. */
export type Direction = 'both' | 'up' | 'down';

type Weather =
  | { readonly kind: 'clear' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'hole'; readonly direction: Direction }
  | { readonly kind: 'slow'; readonly delayMs: number };

const CLEAR: Weather = { kind: 'clear' };

/** One direction of a connection: passes on what comes, in order, unless the weather holds it. */
class Lane {
  private readonly held: { readonly at: number; readonly chunk: Buffer }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private stopped = false;
  delayMs = 0;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    from.on('data', (chunk: Buffer) => {
      this.held.push({ at: performance.now() + this.delayMs, chunk });
      this.pass();
    });
    from.on('end', () => {
      this.ended = true;
      this.pass();
    });
    to.on('drain', () => this.flow());
  }

  /** Nothing is read any more, so that it stays in the kernel's buffers, as it does where packets are lost. */
  set isStopped(stopped: boolean) {
    this.stopped = stopped;
    this.flow();
  }

  private flow(): void {
    if (this.stopped) this.from.pause();
    else {
      this.pass();
      if (!this.to.writableNeedDrain) this.from.resume();
    }
  }

  private pass(): void {
    clearTimeout(this.timer);
    while (!this.stopped) {
      const next = this.held[0];
      if (next === undefined) {
        if (this.ended) this.to.end();
        return;
      }
      const wait = next.at - performance.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.pass(), wait);
        return;
      }
      this.held.shift();
      if (!this.to.write(next.chunk)) this.from.pause();
    }
  }
}

class Connection {
  private readonly lanes: readonly [up: Lane, down: Lane];
  private readonly sockets: readonly Socket[];

  /** As the server sees it. */
  readonly localPort: number | undefined;

  constructor(client: Socket, server: Socket, onClose: () => void) {
    this.localPort = server.localPort;
    this.sockets = [client, server];
    this.lanes = [new Lane(client, server), new Lane(server, client)];
    for (const socket of this.sockets) {
      socket.setNoDelay(true);
      socket.on('error', () => this.reset());
      socket.on('close', () => {
        this.reset();
        onClose();
      });
    }
  }

  feel(weather: Weather): void {
    if (weather.kind === 'cut') {
      this.reset();
      return;
    }
    const [up, down] = this.lanes;
    const stopped = weather.kind === 'hole' ? weather.direction : undefined;
    const delayMs = weather.kind === 'slow' ? weather.delayMs : 0;
    up.delayMs = delayMs;
    down.delayMs = delayMs;
    up.isStopped = stopped === 'both' || stopped === 'up';
    down.isStopped = stopped === 'both' || stopped === 'down';
  }

  reset(): void {
    for (const socket of this.sockets) {
      // Node would keep the handle of one that is reset while it says goodbye.
      if (socket.writableEnded) socket.destroy();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}

/**
 * One path of the network: a port on loopback that leads to another, and that can be cut (connections are reset and refused),
 * made a black hole (they stay, and nothing arrives; half-open with a direction), or slowed down.
 */
export class Proxy {
  private readonly connections = new Set<Connection>();
  private readonly waiting = new Set<Socket>();
  private weather: Weather = CLEAR;

  private constructor(
    private readonly server: Server,
    private readonly upstreams: () => readonly number[],
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  /** @param upstreams ports on loopback: the first that takes the connection gets it */
  static async open(upstreams: () => readonly number[]): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new Proxy(server, upstreams);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Whether a connection through it arrives from this port. */
  arrivesFrom(port: number): boolean {
    return [...this.connections].some((connection) => connection.localPort === port);
  }

  cut(): void {
    this.become({ kind: 'cut' });
  }

  blackHole(direction: Direction = 'both'): void {
    this.become({ kind: 'hole', direction });
  }

  /** Each way. */
  slowDown(delayMs: number): void {
    this.become({ kind: 'slow', delayMs });
  }

  heal(): void {
    this.become(CLEAR);
  }

  async close(): Promise<void> {
    this.cut();
    for (const socket of this.waiting) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private become(weather: Weather): void {
    this.weather = weather;
    for (const connection of this.connections) connection.feel(weather);
    if (weather.kind === 'hole') return;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const client of waiting) this.accept(client);
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.weather.kind === 'cut') client.resetAndDestroy();
    else if (this.weather.kind === 'hole') {
      // To the client it is open: nobody tells it that what it sends arrives nowhere.
      client.pause();
      this.waiting.add(client);
    } else void this.join(client, [...this.upstreams()]);
  }

  private join(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined || client.destroyed) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const refused = (): void => this.join(client, others);
    server.once('error', refused);
    server.once('connect', () => {
      server.off('error', refused);
      if (client.destroyed) {
        server.destroy();
        return;
      }
      const connection = new Connection(client, server, () => this.connections.delete(connection));
      this.connections.add(connection);
      connection.feel(this.weather);
    });
  }
}
