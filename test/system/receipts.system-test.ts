import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Receipt } from '#contracts';
import { grpcClients, type Child, type Service } from '#local-cluster';
import type { Curfew, IssuedSession } from '#sdk';
import { dataFolder, makeKey, startTestService, type TestService } from '../support/cluster.js';
import { runCli } from '../support/cli.js';
import { startSecondInstance } from '../support/embedded.js';
import { startNode, startNodeProcess, type NodeProcess } from '../support/nodes.js';
import { restClient } from '../support/rest.js';

/** What a node's silence means at B = 2 s: reports are 3 s old at most. */
const SILENCE = 5_000;

describe('receipts', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let first: TestService;
  let second: Service;
  const processes: Child<NodeProcess>[] = [];
  const nodes: Curfew[] = [];

  beforeAll(async () => {
    folder = await dataFolder();
    first = await startTestService(folder.path);
    second = await startSecondInstance(folder.path);
    const at = (service: Service): TestService => ({ ...first, http: service.http, grpc: service.grpc });
    // Two processes at the first instance, a node of the SDK in this process at the second.
    processes.push(...(await Promise.all(['node-1', 'node-2'].map((name) => startNodeProcess(first, name)))));
    nodes.push(await startNode(at(second), { nodeId: 'node-3' }));
    const theirs = await makeKey(first, ['theirs']);
    nodes.push(await startNode({ ...first, key: theirs }, { nodeId: 'node-of-theirs', tenant: 'theirs' }));
  });
  afterEach(() => {
    for (const child of processes) child.signal('SIGCONT');
  });
  afterAll(async () => {
    for (const node of nodes) await node.close();
    for (const child of processes) await child.stop();
    await second.child.stop();
    await first.child.stop();
    await folder.remove();
  });

  const revoke = async (): Promise<string> => {
    const { body } = await first.rest.call<IssuedSession>('POST', '/v1/sessions', { sub: 'user-1' });
    const ended = await first.rest.call<{ revocationId: string }>('DELETE', `/v1/sessions/${body.sid}`);
    expect(ended.body.revocationId).toBe(body.sid);
    return body.sid;
  };
  const at = (service: Service) => restClient(service.http, first.key);
  const receiptAt = async (service: Service, id: string, query = ''): Promise<Receipt> => {
    const { status, body } = await at(service).call<Receipt>('GET', `/v1/revocations/${id}${query}`);
    expect(status).toBe(200);
    return body;
  };
  const statesOf = ({ nodes: named }: Receipt) => named.map(({ nodeId, state }) => [nodeId, state]);
  const ALL_APPLIED = [
    ['node-1', 'applied'],
    ['node-2', 'applied'],
    ['node-3', 'applied'],
  ];

  it('G10: names the nodes of the tenant at both instances, asked at either; none of another tenant', async () => {
    for (const service of [first, second]) {
      const id = await revoke();
      const began = performance.now();
      const receipt = await receiptAt(service, id, '?wait=all&timeout=20000');
      expect(receipt).toMatchObject({ id, scope: 'session', complete: true });
      expect(statesOf(receipt)).toEqual(ALL_APPLIED);
      console.log(`a receipt was complete after ${Math.round(performance.now() - began)} ms`);
    }
  });

  it('G2: a stopped node is outstanding, then bounded; the wait ends with it, or at its deadline', async () => {
    processes[1]!.signal('SIGSTOP');
    const id = await revoke();
    const began = performance.now();
    const short = await receiptAt(second, id, '?wait=all&timeout=1500');
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_500);
    expect(short.complete).toBe(false);
    expect(statesOf(short)).toEqual([
      ['node-1', 'applied'],
      ['node-2', 'outstanding'],
      ['node-3', 'applied'],
    ]);
    const done = await receiptAt(first, id, '?wait=all&timeout=30000');
    const took = performance.now() - began;
    expect(done.complete).toBe(true);
    expect(statesOf(done)).toEqual([
      ['node-1', 'applied'],
      ['node-2', 'bounded'],
      ['node-3', 'applied'],
    ]);
    // It had reported half a second before at most, and what is written of it is seconds old at most.
    expect(took).toBeGreaterThan(2_000);
    expect(took).toBeLessThan(SILENCE + 3_000);
    processes[1]!.signal('SIGCONT');
    const after = await revoke();
    expect(statesOf(await receiptAt(second, after, '?wait=all&timeout=20000'))).toEqual(ALL_APPLIED);
  });

  it('over gRPC, and of a mass revocation', async () => {
    const { body } = await first.rest.call<{ revocationId: string }>('POST', '/v1/revocations', {
      scope: 'user',
      sub: 'user-1',
    });
    const grpc = grpcClients(second.grpc, first.key);
    try {
      const receipt = await grpc.call<Receipt>('RevocationService', 'GetReceipt', {
        id: body.revocationId,
        wait: true,
        timeoutMs: 20_000,
      });
      expect(receipt).toMatchObject({ id: body.revocationId, scope: 'user', complete: true });
      expect(statesOf(receipt)).toEqual(ALL_APPLIED);
    } finally {
      grpc.close();
    }
  });

  it("G10: another tenant's revocation answers as one that is unknown", async () => {
    const id = await revoke();
    const outsider = restClient(first.http, await makeKey(first, ['theirs']));
    const theirs = await outsider.call('GET', `/v1/revocations/${id}`);
    expect(theirs.status).toBe(404);
    expect(theirs.body).toEqual((await outsider.call('GET', `/v1/revocations/${'f'.repeat(32)}`)).body);
  });

  it('curfew revoke --wait prints the nodes as they report', async () => {
    const { body } = await first.rest.call<IssuedSession>('POST', '/v1/sessions', { sub: 'user-1' });
    const { code, out, err } = await runCli(first, 'revoke', '--sid', body.sid, '--wait');
    expect([code, err]).toEqual([0, '']);
    const lines = out.trim().split('\n');
    expect(lines[0]).toBe(`ended session ${body.sid}`);
    for (const name of ['node-1', 'node-2', 'node-3'])
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${name} +applied +\\d+ ms$`)));
    expect(lines.at(-1)).toMatch(/^3 nodes: 3 applied, 0 bounded, 0 outstanding after \d+ ms$/);
  });

  it('a node over Kafka reports by its renewals', async () => {
    const rest = restClient(second.http, await makeKey(first, ['kafka']));
    const renew = async (appliedCursor: string) =>
      (await rest.call('POST', '/v1/revocations/renewals', { nodeId: 'k', boundMs: 2_000, appliedCursor }))
        .status;
    const created = await rest.call<IssuedSession>('POST', '/v1/sessions', { sub: 'u' });
    expect(await renew('')).toBe(200);
    const { sid } = created.body;
    await rest.call('DELETE', `/v1/sessions/${sid}`);
    const states = async () => (await rest.call<Receipt>('GET', `/v1/revocations/${sid}`)).body;
    expect(await states()).toMatchObject({
      complete: false,
      nodes: [{ nodeId: 'k', state: 'outstanding', via: 'kafka', boundMs: 2_000 }],
    });
    // What a heartbeat would bring: a cursor of the log behind the revocation. Here one that shows everything.
    await renew('9000000000000000000:9000000000000000000:');
    expect(await states()).toMatchObject({ complete: true, nodes: [{ nodeId: 'k', state: 'applied' }] });
  });
});
