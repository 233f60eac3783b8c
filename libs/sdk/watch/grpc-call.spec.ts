import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createCurfewWith } from '../core/curfew.js';
import type { Curfew, CurfewOptions, Diagnostic } from '../core/curfew.types.js';
import { AUDIENCE, ISSUER, SigningKey } from '../core/minted-token.double.js';
import { RestDoorDouble } from '../core/rest-door.double.js';
import { RenewRequestType, RenewResponseType } from './watch-door.double.js';
import { dialGrpc, type CallHandlers, type GrpcCall, type StreamEnd } from './grpc-call.js';

const WATCH = '/curfew.v1.RevocationService/Watch';
/** A call on a connection of its own. */
function openCall(url: string, apiKey: string, handlers: CallHandlers): GrpcCall {
  const connection = dialGrpc(url, apiKey);
  const call = connection.call(WATCH, handlers);
  return { send: (message) => call.send(message), destroy: () => connection.destroy() };
}

const definition = loadSync(join(import.meta.dirname, '../../contracts/proto/curfew/v1/revocation.proto'), {
  longs: String,
});
const { service } = (
  grpc.loadPackageDefinition(definition) as unknown as {
    curfew: { v1: { RevocationService: grpc.ServiceClientConstructor } };
  }
).curfew.v1.RevocationService;

interface Hello {
  readonly nodeId: string;
  readonly cursor?: string;
}
type Call = grpc.ServerDuplexStream<{ hello?: Hello; renew?: { id: string } }, object>;
type Unary = grpc.ServerUnaryCall<Hello, object>;

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Waits for a condition of the outside world, here a socket. */
async function until(condition: () => boolean): Promise<void> {
  for (let left = 500; !condition(); left -= 1) {
    if (left === 0) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A real grpc-js server that serves Watch on loopback. */
class Door {
  readonly calls: Call[] = [];
  readonly hellos: Hello[] = [];
  readonly keys: unknown[] = [];
  refuseWith: Partial<grpc.StatusObject> | undefined;
  answers = true;
  cursor = 'c1';
  private server = new grpc.Server();
  port = 0;

  async start(credentials = grpc.ServerCredentials.createInsecure()): Promise<this> {
    this.server = new grpc.Server();
    this.server.addService(service, {
      watch: (call: Call) => this.watch(call),
      revoke: () => undefined,
      renew: (call: Unary, answer: (error: Partial<grpc.StatusObject> | null, value?: object) => void) =>
        this.refuseWith ? answer(this.refuseWith) : answer(null, { streamId: call.request.nodeId, lanes: 4 }),
    });
    const bind = this.server.bindAsync.bind(this.server);
    this.port = await new Promise((resolve, reject) =>
      bind(`127.0.0.1:${this.port}`, credentials, (error, port) => (error ? reject(error) : resolve(port))),
    );
    return this;
  }

  stop(): void {
    this.server.forceShutdown();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private watch(call: Call): void {
    this.calls.push(call);
    this.keys.push(call.metadata.get('authorization')[0]);
    call.on('error', () => undefined);
    if (this.refuseWith !== undefined) {
      call.emit('error', this.refuseWith);
      return;
    }
    call.on('data', ({ hello, renew }: { hello?: Hello; renew?: { id: string } }) => {
      if (hello) this.hellos.push(hello);
      if (renew && this.answers) this.renewed(call, renew.id);
    });
    call.on('end', () => call.end());
  }

  private renewed(call: Call, id: string): void {
    const referenceTimeMs = String(seconds() * 1000);
    call.write({
      renewed: {
        id,
        cursor: this.cursor,
        referenceTimeMs,
        maxAccessTtlMs: 900_000,
        renewAfterMs: 100,
        ageMs: 0,
      },
    });
  }
}

describe('Watch on the wire, against grpc-js', () => {
  const closing: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const key = new SigningKey('k1');
  const token = (sid: string): string => key.token({ sid, iat: seconds() - 5, exp: seconds() + 200 });

  function connect(watch: string | string[], options: Partial<CurfewOptions> = {}): [Curfew, Diagnostic[]] {
    const told: Diagnostic[] = [];
    const curfew = createCurfewWith(
      {
        service: 'http://service.test',
        watch,
        apiKey: 'key-1',
        issuer: ISSUER,
        audience: AUDIENCE,
        tenant: 'acme',
        onStale: 'reject',
        onDiagnostic: (diagnostic) => told.push(diagnostic),
        ...options,
      },
      { fetch: new RestDoorDouble(key.jwk()).fetch },
    );
    closing.push(() => curfew.close());
    return [curfew, told];
  }

  async function door(): Promise<Door> {
    const started = await new Door().start();
    closing.push(() => started.stop());
    return started;
  }

  it('G2: renews, revokes, and carries the API key', async () => {
    const { url, calls, keys, hellos } = await door();
    const [curfew] = connect(url, { nodeId: 'node-1' });
    await curfew.ready();
    const accepted = token('s1');
    await curfew.verify(accepted);
    expect(keys).toEqual(['Bearer key-1']);
    expect(hellos).toEqual([{ nodeId: 'node-1', cursor: '', boundMs: 2000 }]);
    calls[0]?.write({
      revocation: { scope: 'session', tenant: 'acme', sub: 'u', sid: 's1', reason: 'user' },
    });
    await until(() => curfew.stats().denied === 1);
    await expect(curfew.verify(accepted)).rejects.toMatchObject({ code: 'ERR_TOKEN_REFUSED' });
  });

  it('takes thousands of revocations in a row and the renewal behind them', async () => {
    const { url, calls } = await door();
    const [curfew] = connect(url);
    await curfew.ready();
    for (let i = 0; i < 5_000; i += 1) {
      calls[0]?.write({
        revocation: {
          scope: 'session',
          tenant: 'acme',
          sub: 'u'.repeat(i % 200),
          sid: `s${i}`,
          reason: 'user',
        },
      });
    }
    await until(() => curfew.stats().denied === 5_000);
    await until(() => curfew.lease().fresh);
    expect(curfew.stats().connections).toBe(1);
  });

  it('reconnects after the service was restarted, from the last cursor', async () => {
    const restarted = await door();
    const [curfew, told] = connect(restarted.url);
    await curfew.ready();
    restarted.cursor = 'c2';
    await until(() => curfew.lease().remainingMs > 1_950);
    restarted.stop();
    await until(() => told.some(({ kind }) => kind === 'watch-failed'));
    await restarted.start();
    await until(() => restarted.hellos.length > 1);
    expect(restarted.hellos.at(-1)?.cursor).toMatch(/^c[12]$/);
    await until(() => curfew.lease().remainingMs > 1_500);
  });

  it('G2: goes to another instance when one is down, without losing its lease', async () => {
    const [first, second] = [await door(), await door()];
    const [curfew] = connect([first.url, second.url]);
    await curfew.ready();
    const [down, other] = first.calls.length === 1 ? [first, second] : [second, first];
    down.stop();
    await until(() => other.calls.length === 1);
    expect(curfew.lease().fresh).toBe(true);
    await until(() => curfew.lease().remainingMs > 1_800);
  });

  it.each([
    [grpc.status.UNAUTHENTICATED, 'ERR_UNAUTHENTICATED'],
    [grpc.status.PERMISSION_DENIED, 'ERR_FORBIDDEN'],
  ])('understands the status %i', async (code, expected) => {
    const refusing = await door();
    refusing.refuseWith = { code, details: 'no entry' };
    const [curfew, told] = connect(refusing.url);
    await expect(curfew.ready()).rejects.toMatchObject({ code: expected });
    expect(told[0]?.message).toContain(`gRPC status ${code} no entry`);
  });

  it('keeps trying after a status that passes', async () => {
    const busy = await door();
    busy.refuseWith = { code: grpc.status.UNAVAILABLE, details: 'later' };
    const [curfew] = connect(busy.url);
    await until(() => busy.calls.length > 2);
    busy.refuseWith = undefined;
    await curfew.ready();
  });

  it('G2: leaves a connection on which nothing comes back', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined).resume()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const [curfew, told] = connect(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, {
      stalenessBound: 500,
    });
    await until(() => sockets.length > 1);
    expect(told[0]?.message).toContain('no answer to renewals');
    expect(curfew.lease().fresh).toBe(false);
    await until(() => sockets[0]?.readableEnded === true);
  });

  it.each<[string, (stream: ServerHttp2Stream, socket: Socket) => void, RegExp]>([
    ['an HTTP error', (s) => s.respond({ ':status': 503 }, { endStream: true }), /HTTP status 503/],
    [
      'a page',
      (s) => (s.respond({ 'content-type': 'text/html' }), s.end('hi')),
      /HTTP status 200, text\/html/,
    ],
    [
      'a status without a body',
      (s) => s.respond({ 'content-type': 'application/grpc', 'grpc-status': '14' }, { endStream: true }),
      /gRPC status 14/,
    ],
    [
      'a compressed message',
      (s) => (s.respond({ 'content-type': 'application/grpc' }), s.write(Buffer.from([1, 0, 0, 0, 1, 0]))),
      /compressed/,
    ],
    [
      'an end without a status',
      (s) => (s.respond({ 'content-type': 'application/grpc' }), s.end()),
      /closed/,
    ],
    ['a reset', (s) => s.close(8), /closed|stream/i],
    ['a goodbye', (s) => s.session?.goaway(2), /closed|code 2/],
    ['a broken connection', (_, socket) => socket.resetAndDestroy(), /ECONNRESET|closed/],
  ])('ends once, and says why, at %s', async (_, act, reason) => {
    const server = createHttp2Server();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      act(stream, sockets[0] as Socket);
    });
    server.on('sessionError', () => undefined);
    const sockets: Socket[] = [];
    server.on('connection', (socket: Socket) => void sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => void server.close());
    const ends: StreamEnd[] = [];
    const messages: Buffer[] = [];
    const stream = openCall(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'key-1', {
      onMessage: (message) => messages.push(message),
      onEnd: (end) => ends.push(end),
    });
    stream.send(Buffer.from('x'));
    await until(() => ends.length > 0);
    stream.send(Buffer.from('y'));
    stream.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ends).toHaveLength(1);
    expect(ends[0]?.message).toMatch(reason);
    expect(messages).toEqual([]);
  });

  it('ends, and does not throw, when nobody listens', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const end = await new Promise<StreamEnd>((resolve) => {
      openCall(`http://127.0.0.1:${port}`, 'k', { onMessage: () => undefined, onEnd: resolve });
    });
    expect(end.message).toContain('ECONNREFUSED');
  });

  it('G2: makes one unary call after the other on one connection, and says how each ended', async () => {
    const door = await new Door().start();
    closing.push(() => door.stop());
    const connection = dialGrpc(door.url, 'key-1');
    closing.push(() => connection.destroy());
    const renew = (nodeId: string): Promise<[answer: object | undefined, end: StreamEnd]> =>
      new Promise((resolve) => {
        let answer: object | undefined;
        const call = connection.call('/curfew.v1.RevocationService/Renew', {
          onMessage: (bytes) => (answer = RenewResponseType.decode(bytes).toJSON()),
          onEnd: (end) => resolve([answer, end]),
        });
        call.send(RenewRequestType.encode({ nodeId }).finish(), true);
      });
    for (const id of ['n1', 'n2', 'n3']) {
      expect(await renew(id)).toEqual([{ streamId: id, lanes: 4 }, expect.objectContaining({ status: 0 })]);
    }
    door.refuseWith = { code: 7, details: 'not you' };
    const [, refusal] = await renew('n4');
    expect(refusal).toMatchObject({ status: 7 });
    // A call that is destroyed says nothing and leaves the connection to others.
    const told: StreamEnd[] = [];
    connection.call(WATCH, { onMessage: () => undefined, onEnd: (end) => told.push(end) }).destroy();
    door.refuseWith = undefined;
    expect((await renew('n5'))[0]).toEqual({ streamId: 'n5', lanes: 4 });
    connection.call(WATCH, {
      onMessage: () => told.push({ message: 'late' }),
      onEnd: (end) => told.push(end),
    });
    connection.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toEqual([]);
  });

  it('a call on a connection that is gone throws or tells its end, as the version of Node does', async () => {
    const door = await new Door().start();
    const connection = dialGrpc(door.url, 'key-1');
    closing.push(() => connection.destroy());
    const end = (): Promise<StreamEnd> =>
      new Promise((resolve) => {
        connection.call(WATCH, { onMessage: () => undefined, onEnd: resolve });
      });
    const ended = end();
    await until(() => door.calls.length === 1);
    door.stop();
    await ended;
    for (let round = 0; round < 3; round += 1) {
      const { message } = await end().catch((error: Error) => error);
      expect(message).not.toBe('');
    }
  });
});
