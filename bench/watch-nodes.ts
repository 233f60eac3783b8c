import { join } from 'node:path';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { projectRoot } from '#local-cluster';
import { dialGrpc, type GrpcCall } from '../libs/sdk/watch/grpc-call.js';

/** An order of the bench to this process. */
export type Order =
  | { readonly do: 'connect'; readonly count: number }
  /** Round trips of renewals from now on. */
  | { readonly do: 'forget' }
  | { readonly do: 'report' }
  /** Ends sessions, one after the other. */
  | { readonly do: 'revoke'; readonly sids: readonly string[] };

export interface Report {
  /** Of renewals, ms. */
  readonly roundTrips: readonly number[];
  /** Streams that ended, and came back. */
  readonly ended: number;
}

/** Each a list of ms, one of each revocation. */
export interface Revoked {
  /** From the call's answer to the last node. 0: all had it before. */
  readonly afterAnswer: readonly number[];
  /** From the call to the last node. */
  readonly afterCall: readonly number[];
  readonly firstToLast: readonly number[];
}

interface WatchResponse {
  readonly revocation?: { readonly sid?: string };
  readonly renewed?: { readonly id?: number; readonly renewAfterMs?: number };
}

interface Settings {
  readonly http: string;
  readonly grpc: string;
  readonly key: string;
}

const { http, grpc, key } = JSON.parse(process.env['BENCH_SETTINGS'] ?? '') as Settings;
const { Watch } = loadSync('curfew/v1/revocation.proto', {
  includeDirs: [join(projectRoot(), 'libs/contracts/proto')],
  longs: Number,
})['curfew.v1.RevocationService'] as unknown as { Watch: MethodDefinition<object, WatchResponse> };

/** What the nodes say their staleness bound is. */
const BOUND_MS = 2_000;
/** Connections that are opened together; so many, that their renewals do not go in step. */
const AT_ONCE = 20;

const roundTrips: number[] = [];
let ended = 0;
let connected = 0;
/** Of the revocation under way: when each node had it. */
let heard: number[] = [];
let heardByAll: () => void = () => undefined;

/** A bare Watch stream on a connection of its own, which renews as a node does. */
function node(name: string): Promise<void> {
  let id = 0;
  let applied = 0;
  let sentAt = 0;
  let stream: GrpcCall | undefined = undefined;
  return new Promise((ready) => {
    const renew = (): void => {
      sentAt = performance.now();
      stream?.send(Watch.requestSerialize({ renew: { id: ++id, applied } }));
    };
    stream = dialGrpc(grpc, key).call(Watch.path, {
      onMessage: (bytes) => {
        const { revocation, renewed } = Watch.responseDeserialize(bytes);
        if (revocation?.sid !== undefined) {
          heard.push(performance.now());
          if (heard.length === connected) heardByAll();
        }
        if (renewed?.id !== id) return;
        applied = id;
        roundTrips.push(performance.now() - sentAt);
        ready();
        setTimeout(renew, renewed.renewAfterMs).unref();
      },
      onEnd: () => {
        ended += 1;
        setTimeout(() => void node(name), 100).unref();
      },
    });
    stream.send(Watch.requestSerialize({ hello: { nodeId: name, boundMs: BOUND_MS } }));
    renew();
  });
}

async function revoke(sids: readonly string[]): Promise<Revoked> {
  const times = { afterAnswer: [] as number[], afterCall: [] as number[], firstToLast: [] as number[] };
  for (const sid of sids) {
    heard = [];
    const all = new Promise<void>((resolve) => (heardByAll = resolve));
    const called = performance.now();
    const answer = await fetch(`${http}/v1/sessions/${sid}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${key}` },
    });
    const answered = performance.now();
    if (!answer.ok) throw new Error(`revoke: HTTP ${answer.status}`);
    await all;
    const last = heard.at(-1)!;
    times.afterAnswer.push(Math.max(0, last - answered));
    times.afterCall.push(last - called);
    times.firstToLast.push(last - heard[0]!);
    // Not in step with renewals.
    await new Promise((resolve) => setTimeout(resolve, 50 + 100 * Math.random()));
  }
  return times;
}

async function obey(order: Order): Promise<object> {
  switch (order.do) {
    case 'connect':
      for (const until = connected + order.count; connected < until; connected += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => node(`bench-${connected + i}`)));
      return {};
    case 'forget':
      roundTrips.length = 0;
      return {};
    case 'report':
      return { roundTrips, ended } satisfies Report;
    case 'revoke':
      return revoke(order.sids);
  }
}

process.on('message', (order: Order) => {
  void obey(order).then((done) => process.send?.({ done }));
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
process.send?.({ ready: {} });
