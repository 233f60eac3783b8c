import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStopwatch } from '#platform';
import { systemTimers, WatchHub } from '#revocation-bus';
import { HandFollower } from '../revocation-bus/testing/hand-follower.js';
import { bindGrpcServer, createGrpcServer } from './grpc-server.js';
import { loadProtos } from './protos.js';
import { WatchStreams } from './watch-streams.js';

const METHOD = '/curfew.v1.RevocationService/Watch';
const REVOCATIONS = 10_000;
const MAX_BLOCKED_MS = 1_500;
const { Watch } = loadProtos()['curfew.v1.RevocationService'] as unknown as {
  Watch: MethodDefinition<object, { revocation?: { sid?: string }; renewed?: { cursor?: string } }>;
};

const framed = (message: object): Buffer => {
  const bytes = Watch.requestSerialize(message);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

/** A node on a connection of its own, which reads only when it is told to. */
class BareNode {
  readonly heard = new Map<string, number>();
  trailers: Record<string, unknown> | undefined;
  cursor = '';
  private readonly session: ClientHttp2Session;
  private readonly stream: ClientHttp2Stream;
  private rest = Buffer.alloc(0);
  private renewals = 0;

  constructor(url: string, cursor = '') {
    this.session = connect(url);
    this.session.on('error', () => undefined);
    this.stream = this.session.request(
      { ':method': 'POST', ':path': METHOD, 'content-type': 'application/grpc', te: 'trailers' },
      { endStream: false },
    );
    this.stream.on('error', () => undefined);
    this.stream.on('trailers', (trailers: Record<string, unknown>) => (this.trailers = trailers));
    this.stream.write(framed({ hello: { nodeId: 'n', cursor } }));
  }

  read(): this {
    this.stream.on('data', (chunk: Buffer) => {
      this.rest = Buffer.concat([this.rest, chunk]);
      while (this.rest.length >= 5 && this.rest.length >= 5 + this.rest.readUInt32BE(1)) {
        const end = 5 + this.rest.readUInt32BE(1);
        const { revocation, renewed } = Watch.responseDeserialize(this.rest.subarray(5, end));
        this.rest = this.rest.subarray(end);
        if (revocation?.sid !== undefined) this.heard.set(revocation.sid, performance.now());
        if (renewed) this.cursor = renewed.cursor ?? '';
      }
    });
    return this;
  }

  renew(): void {
    this.stream.write(framed({ renew: { id: ++this.renewals } }));
  }

  close(): void {
    this.session.destroy();
  }
}

const until = async (isSo: () => boolean, withinMs = 10_000): Promise<void> => {
  for (const deadline = performance.now() + withinMs; !isSo();) {
    if (performance.now() > deadline) throw new Error(`it did not come about in ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

describe('a subscriber that does not read, at a real gRPC door', () => {
  const follower = new HandFollower();
  const hub = new WatchHub({
    follower,
    log: {
      isCursor: (text) => /^\d+$/.test(text),
      shows: (cursor, mark) => Number(mark) < Number(cursor),
    },
    timers: systemTimers,
    maxAccessTtl: 60_000,
    maxBlockedMs: MAX_BLOCKED_MS,
    maxBehind: 1_000_000,
  });
  const nodes: BareNode[] = [];
  let server: Server;
  let streams: WatchStreams;
  let url: string;
  const open = (cursor?: string): BareNode => {
    const node = new BareNode(url, cursor);
    nodes.push(node);
    return node;
  };

  beforeAll(async () => {
    server = createGrpcServer();
    streams = new WatchStreams({
      hub,
      nodes: { introduce: () => ({ heard: () => undefined, isAwaited: false }) },
      authenticate: () => Promise.resolve(),
      startStopwatch,
    });
    const watch = (call: ServerDuplexStream<object, never>): void => streams.open(call, undefined, ['*']);
    server.addService({ Watch }, { Watch: watch });
    url = `http://127.0.0.1:${await bindGrpcServer(server, { host: '127.0.0.1', port: 0 })}`;
  });
  afterAll(() => {
    for (const node of nodes) node.close();
    hub.stop();
    streams.close();
    server.forceShutdown();
  });

  it('is cut with a reason, delays nobody, holds little memory, and resyncs without loss', async () => {
    const [quick, stuck] = [open().read(), open()];
    await until(() => hub.stats().subscribers === 2);
    stuck.renew();
    quick.renew();
    await until(() => quick.cursor !== '');
    const latencies: number[] = [];
    for (let i = 0; i < REVOCATIONS; i += 100) {
      const sids = Array.from({ length: 100 }, (_, k) => `s${i + k}`);
      const revoked = performance.now();
      follower.revoke(...sids);
      await until(() => quick.heard.has(sids.at(-1)!));
      latencies.push(quick.heard.get(sids.at(-1)!)! - revoked);
    }
    const sorted = latencies.sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(50);
    expect(hub.stats()).toMatchObject({ subscribers: 2, blocked: 1 });
    // All read the one memory. What is held for the stuck one alone is what its windows took: some hundred kB.
    expect(REVOCATIONS - hub.stats().maxBehind).toBeLessThan(2_000);

    await new Promise((resolve) => setTimeout(resolve, MAX_BLOCKED_MS));
    quick.renew();
    await until(() => hub.stats().cut.slow === 1);
    expect(hub.stats().subscribers).toBe(1);
    stuck.read();
    await until(() => stuck.trailers !== undefined);
    expect(stuck.trailers).toMatchObject({ 'grpc-status': '14', 'curfew-error-code': 'ERR_UNAVAILABLE' });
    expect(decodeURIComponent(String(stuck.trailers?.['grpc-message']))).toContain(
      'the node does not take messages fast enough',
    );

    const missed = REVOCATIONS - stuck.heard.size;
    expect(missed).toBeGreaterThan(0);
    const resumed = open(stuck.cursor).read();
    resumed.renew();
    await until(() => resumed.cursor !== '');
    const all = new Set([...stuck.heard.keys(), ...resumed.heard.keys()]);
    expect(all.size).toBe(REVOCATIONS);
  }, 30_000);
});
