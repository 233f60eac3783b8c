import type { ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { built, Child, grpcClients } from '#local-cluster';
import type { IssuedSession } from '#sdk';
import { dataFolder, eventually, makeKey, startTestService, type TestService } from '../support/cluster.js';
import { onLog } from '../support/log.js';
import { startNode, startNodeProcess, type NodeProcess } from '../support/nodes.js';

const B = 2_000;
/** The wire, the event loop, and processes that share two cores are no part of the bound. */
const SLACK = 400;
const NODES = 3;

interface RelayReady {
  readonly grpc: string;
}

const startRelay = (upstream: string, key: string, ...more: string[]): Promise<Child<RelayReady>> =>
  Child.start<RelayReady>({
    args: [built('apps/relay/main.js'), '--upstream', upstream, '--listen', '127.0.0.1:0', ...more],
    env: { CURFEW_API_KEY: key },
  });

/** A bare Watch stream with a key. */
function watchWith(relay: Child<RelayReady>, key: string | undefined) {
  const clients = grpcClients(relay.ready.grpc, key);
  const client = clients.client('RevocationService') as unknown as {
    Watch(metadata: Metadata): ClientDuplexStream<object, { renewed?: object }>;
  };
  const call = client.Watch(clients.metadata());
  const ended = new Promise<number>((resolve) => {
    call.on('status', ({ code }) => resolve(code));
    call.on('error', () => undefined);
  }).finally(() => clients.close());
  call.write({ hello: { nodeId: 'bare' } });
  return { call, ended };
}

/** service → relay → relay → node processes. */
describe(`cascading relays${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let upper: Child<RelayReady>;
  let lower: Child<RelayReady>;
  let watchKey: string;
  const nodes: Child<NodeProcess>[] = [];

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path);
    watchKey = await makeKey(service, ['default'], ['revocations:watch']);
    upper = await startRelay(service.grpc, watchKey);
    lower = await startRelay(upper.ready.grpc, watchKey);
    const below = { ...service, grpc: lower.ready.grpc };
    for (let i = 0; i < NODES; i += 1) nodes.push(await startNodeProcess(below, `below-${i}`));
  });
  afterAll(async () => {
    for (const child of [upper, lower, service.child]) child.signal('SIGCONT');
    await Promise.all([...nodes, lower, upper].map((child) => child.stop()));
    await service.child.stop();
    await folder.remove();
  });

  const create = async (): Promise<IssuedSession & { accessToken: string }> =>
    (await service.rest.call<IssuedSession & { accessToken: string }>('POST', '/v1/sessions', { sub: 'u' }))
      .body;
  const statusAt = async (node: Child<NodeProcess>, token: string): Promise<number> =>
    (await fetch(`${node.ready.url}/whoami`, { headers: { authorization: `Bearer ${token}` } })).status;
  const all = (token: string, expected: number) => async (): Promise<boolean> =>
    (await Promise.all(nodes.map((node) => statusAt(node, token)))).every((status) => status === expected);

  it('G2: a revocation passes two relays in milliseconds', async () => {
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const { sid, accessToken } = await create();
      await eventually(all(accessToken, 200));
      await service.rest.call('DELETE', `/v1/sessions/${sid}`);
      const returned = performance.now();
      await eventually(all(accessToken, 401), { within: B });
      times.push(performance.now() - returned);
    }
    const sorted = times.sort((a, b) => a - b);
    console.log(
      `through two relays, to the last of ${NODES} node processes: median ${sorted[10]!.toFixed(1)} ms`,
    );
    expect(sorted[10]).toBeLessThan(250);
  });

  it.each([
    ['the middle relay', () => upper],
    ['the last relay', () => lower],
    ['the service', () => service.child],
  ] as const)(
    'G2: %s stopped for longer than B: nodes stop accepting within B, and resync after',
    async (_name, stopped) => {
      const kept = await create();
      await eventually(all(kept.accessToken, 200));
      // These nodes ask the service when they are stale, so a stopped relay shows in the lease alone.
      const watching = await startNode({ ...service, grpc: lower.ready.grpc }, { onStale: 'reject' });
      try {
        const began = performance.now();
        stopped().signal('SIGSTOP');
        await eventually(() => !watching.lease().fresh, { within: B + 3_000, what: 'the end of the lease' });
        expect(performance.now() - began).toBeLessThan(B + SLACK);
        await expect(watching.verify(kept.accessToken)).rejects.toMatchObject({ code: 'ERR_STALE' });
        if (stopped() !== service.child) await service.rest.call('DELETE', `/v1/sessions/${kept.sid}`);
        await new Promise((resolve) => setTimeout(resolve, B));
        stopped().signal('SIGCONT');
        await eventually(() => watching.lease().fresh, { what: 'a lease' });
        const expected = stopped() === service.child ? 200 : 401;
        await eventually(all(kept.accessToken, expected));
        if (expected === 401)
          await expect(watching.verify(kept.accessToken)).rejects.toMatchObject({
            code: 'ERR_TOKEN_REFUSED',
          });
      } finally {
        stopped().signal('SIGCONT');
        await watching.close();
      }
    },
  );

  it('G10: a revoked API key loses its stream through two relays within B; the others stay', async () => {
    const answer = await service.rest.call<{ key: string; id: string }>('POST', '/v1/api-keys', {
      name: 'short-lived',
      scopes: ['revocations:watch', 'tokens:introspect'],
      tenants: ['default'],
    });
    expect(answer.status).toBe(201);
    const { call, ended } = watchWith(lower, answer.body.key);
    let renewed = 0;
    call.on('data', (message: { renewed?: object }) => (renewed += message.renewed ? 1 : 0));
    call.write({ renew: { id: 1 } });
    await eventually(() => renewed > 0);
    const { status } = await service.rest.call('DELETE', `/v1/api-keys/${answer.body.id}`);
    expect(status).toBeLessThan(300);
    const revoked = performance.now();
    expect(await ended).toBe(16);
    expect(performance.now() - revoked).toBeLessThan(B + SLACK);
    expect(nodes.every((node) => node.running)).toBe(true);
  });

  it('G10: no key, a wrong one, one without the scope, one of another tenant: no stream', async () => {
    const issuing = await makeKey(service, ['default'], ['sessions:issue']);
    const other = await makeKey(service, ['other'], ['revocations:watch']);
    const keys = [undefined, 'cfk_nonsense', issuing, other];
    const codes = await Promise.all(keys.map((key) => watchWith(lower, key).ended));
    expect(codes).toEqual([16, 16, 7, 7]);
  });

  it('hands Renew on, says how it is, and sends its nodes away when it stops', async () => {
    const third = await startRelay(`${lower.ready.grpc},${upper.ready.grpc}`, watchKey, '--node-id', 'third');
    const clients = grpcClients(third.ready.grpc, watchKey);
    const answer = await clients.call<{ barrier: number; tenants: string[] }>(
      'RevocationService',
      'Renew',
      {},
    );
    expect(answer.tenants).toEqual(['default']);
    expect(answer.barrier).toBeGreaterThan(0);
    clients.close();
    const node = await startNode({ ...service, grpc: `${third.ready.grpc},${upper.ready.grpc}` });
    try {
      expect(await third.stop()).toBe(0);
      const { sid, accessToken } = await create();
      await node.verify(accessToken);
      expect(node.lease().fresh).toBe(true);
      await service.rest.call('DELETE', `/v1/sessions/${sid}`);
      await eventually(
        () =>
          node.verify(accessToken).then(
            () => false,
            () => true,
          ),
        { within: B },
      );
    } finally {
      await node.close();
    }
  });
});
