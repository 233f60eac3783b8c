import { status as code } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeService, type FakeService } from '../testing/fake-service.js';
import { GrpcCaller } from '../testing/grpc-caller.js';
import { problem, RestCaller } from '../testing/rest-caller.js';

const METHOD = '/curfew.v1.RevocationService/GetReceipt';
const NODE = { nodeId: 'n', state: 'applied', via: 'watch', boundMs: 2_000, lastReportMs: 1_800_000_000_001 };
const RECEIPT = {
  id: 'r1',
  scope: 'user',
  position: '9.1',
  recordedAtMs: 1_800_000_000_000,
  complete: true,
  nodes: [NODE],
};

let service: FakeService;
let rest: RestCaller;
let grpc: GrpcCaller;
beforeAll(async () => {
  service = await startFakeService();
  rest = new RestCaller(service);
  grpc = new GrpcCaller(service.endpoints.grpc);
});
beforeEach(() => {
  service.received.length = 0;
  service.answer = () => RECEIPT;
});
afterAll(async () => {
  grpc.close();
  await service.close();
});
const inputs = () => service.received.map((message) => (message as { input: object }).input);

describe('receipts', () => {
  it('are read at the REST door, with and without waiting', async () => {
    const response = await rest.call('/v1/revocations/r1');
    expect([response.status, await response.json()]).toEqual([200, RECEIPT]);
    await rest.call('/v1/revocations/a%2Fb?wait=all&timeout=60000&tenant=acme');
    expect(inputs()).toEqual([{ id: 'r1' }, { id: 'a/b', tenant: 'acme', wait: true, timeoutMs: 60_000 }]);
  });

  it('are read at the gRPC door, with and without waiting', async () => {
    const headers = service.authorization();
    const { answer } = await grpc.call(METHOD, { id: 'r1' }, headers);
    expect(answer).toEqual({
      ...RECEIPT,
      recordedAtMs: '1800000000000',
      nodes: [{ ...NODE, lastReportMs: '1800000000001' }],
    });
    await grpc.call(METHOD, { id: 'r1', tenant: 'acme', wait: true, timeoutMs: 7 }, headers);
    expect(inputs()).toEqual([{ id: 'r1' }, { id: 'r1', tenant: 'acme', wait: true, timeoutMs: 7 }]);
  });

  it.each([
    ['wait=some', 'wait'],
    ['wait=all&timeout=0', 'timeout'],
    ['wait=all&timeout=60001', 'timeout'],
    ['wait=all&timeout=1.5', 'timeout'],
    ['sid=x', 'sid'],
  ])('refuses ?%s', async (query, field) => {
    expect(await problem(await rest.call(`/v1/revocations/r1?${query}`))).toEqual([
      400,
      'ERR_VALIDATION',
      field,
    ]);
  });

  it.each([
    [{}, 'id'],
    [{ id: 'r', timeoutMs: 60_001 }, 'timeout_ms'],
  ])('refuses the message %j', async (message, field) => {
    const { status } = await grpc.call(METHOD, message, service.authorization());
    expect([status?.code, status?.metadata['curfew-error-field']]).toEqual([code.INVALID_ARGUMENT, field]);
  });

  it('G10: are for those who may revoke, or audit', async () => {
    for (const scope of ['sessions:revoke', 'scopes:revoke', 'audit:read'] as const)
      expect((await rest.call('/v1/revocations/r', { headers: service.authorization(scope) })).status).toBe(
        200,
      );
    const headers = service.authorization('revocations:watch', 'sessions:read');
    expect((await rest.call('/v1/revocations/r', { headers })).status).toBe(403);
  });
});
