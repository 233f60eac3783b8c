import { status as code } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RevocationStreamInfo } from '#application';
import { CurfewError } from '#contracts';
import type { AnsweredRenewal } from '#revocation-bus';
import { startFakeService, type FakeService } from '../testing/fake-service.js';
import { GrpcCaller } from '../testing/grpc-caller.js';
import { problem, RestCaller } from '../testing/rest-caller.js';

const ANSWERED: AnsweredRenewal = {
  barrier: { n: 2n ** 60n, cursor: 'c', referenceTime: 1_700_000_000_123 },
  renewAfterMs: 480,
};
const STREAM = { streamId: '7d3c1c0e-0000-4000-8000-000000000001', lanes: 4 };
const PATH = '/v1/revocations/renewals';
const METHOD = '/curfew.v1.RevocationService/Renew';
const RENEWAL = { nodeId: 'node-1', boundMs: 2_000, appliedCursor: '7:7:' };

let answer: () => Promise<AnsweredRenewal>;
let stream: RevocationStreamInfo | undefined;
let service: FakeService;
let rest: RestCaller;
let grpc: GrpcCaller;
beforeAll(async () => {
  service = await startFakeService({
    renewalDesk: { renew: () => answer() },
    revocationStream: { current: () => Promise.resolve(stream) },
  });
  rest = new RestCaller(service);
  grpc = new GrpcCaller(service.endpoints.grpc);
});
beforeEach(() => {
  answer = () => Promise.resolve(ANSWERED);
  stream = STREAM;
});
afterAll(async () => {
  grpc.close();
  await service.close();
});

describe('Renew', () => {
  const expected = {
    barrier: '1152921504606846976',
    maxAccessTtlMs: 900_000,
    renewAfterMs: 480,
    ...STREAM,
    tenants: ['default'],
  };

  it('answers the barrier, the stream and the tenants of the key, at both doors', async () => {
    const response = await rest.json(PATH, RENEWAL);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ...expected, referenceTimeMs: 1_700_000_000_123 });
    const { answer: message } = await grpc.call(METHOD, RENEWAL, service.authorization());
    expect(message).toEqual({ ...expected, referenceTimeMs: '1700000000123' });
  });

  it('says when nothing is published to Kafka', async () => {
    stream = undefined;
    expect(await (await rest.json(PATH, {})).json()).toMatchObject({ streamId: '', lanes: 0 });
    const { answer: message } = await grpc.call(METHOD, {}, service.authorization());
    expect(message).toMatchObject({ streamId: '' });
  });

  it('answers 503 and when to try again if no barrier comes', async () => {
    answer = () => Promise.reject(new CurfewError('ERR_UNAVAILABLE'));
    const response = await rest.json(PATH, RENEWAL);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problem(response)).toEqual([503, 'ERR_UNAVAILABLE', undefined]);
    expect((await grpc.call(METHOD, RENEWAL, service.authorization())).status).toMatchObject({
      code: code.UNAVAILABLE,
      metadata: { 'retry-after': '1' },
    });
  });

  it.each([
    ['nodeId', { nodeId: 'a\n' }],
    ['nodeId', { nodeId: 'n'.repeat(129) }],
    ['boundMs', { boundMs: -1 }],
    ['boundMs', { boundMs: 60_001 }],
    ['appliedCursor', { appliedCursor: 'x'.repeat(32_769) }],
    ['sid', { sid: 'x' }],
  ])('refuses a bad %s', async (field, body) => {
    expect(await problem(await rest.json(PATH, body))).toEqual([400, 'ERR_VALIDATION', field]);
  });

  it('G10: is for keys that may watch', async () => {
    const headers = service.authorization('sessions:revoke', 'audit:read');
    expect(await problem(await rest.json(PATH, RENEWAL, { headers }))).toEqual([
      403,
      'ERR_FORBIDDEN',
      undefined,
    ]);
    service.revokeKeys();
    const revoked = await grpc.call(METHOD, RENEWAL, headers);
    expect([code.PERMISSION_DENIED, code.UNAUTHENTICATED]).toContain(revoked.status?.code);
    expect((await rest.json(PATH, RENEWAL, { headers: { authorization: 'Bearer x' } })).status).toBe(401);
  });
});
