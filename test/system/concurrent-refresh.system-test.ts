import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IssuedSession } from '#sdk';
import {
  dataFolder,
  randomFrom,
  rounds,
  SEED,
  startTestService,
  type TestService,
} from '../support/cluster.js';
import { grpcClients, type GrpcClients } from '#local-cluster';
import { onLog } from '../support/log.js';

const PRESENTATIONS = 100;

describe(`many presentations of one refresh token, over both doors${onLog}`, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let service: TestService;
  let grpc: GrpcClients;

  beforeAll(async () => {
    folder = await dataFolder();
    service = await startTestService(folder.path);
    grpc = grpcClients(service.grpc, service.key);
  });
  afterAll(async () => {
    grpc.close();
    await service.child.stop();
    await folder.remove();
  });

  it(`G3: 100 at once yield one successor, one rotation, and sign nobody out (seed ${SEED})`, async () => {
    const random = randomFrom(SEED);
    for (let round = 0; round < rounds(3); round += 1) {
      const created = await service.rest.call<IssuedSession>('POST', '/v1/sessions', {
        sub: `user-${round}`,
      });
      expect(created.status).toBe(201);
      const { sid, refreshToken } = created.body;

      const answers = await Promise.all(
        Array.from({ length: PRESENTATIONS }, async () => {
          const key = random() < 0.5 ? randomBytes(16).toString('base64url') : undefined;
          return random() < 0.5 ? overRest(refreshToken, key) : overGrpc(refreshToken, key);
        }),
      );

      expect(new Set(answers).size).toBe(1);
      const history = await service.rest.call<{ events: { type: string }[] }>(
        'GET',
        `/v1/sessions/${sid}/events?limit=200`,
      );
      const types = history.body.events.map(({ type }) => type);
      expect(types.filter((type) => type === 'session.rotated')).toHaveLength(1);
      expect(types).not.toContain('session.theft-detected');
      const session = await service.rest.call('GET', `/v1/sessions/${sid}`);
      expect(session.body).toMatchObject({ status: 'active', gen: 1 });
    }
  });

  async function overRest(refreshToken: string, key: string | undefined): Promise<string> {
    const { status, body } = await service.rest.call<IssuedSession>(
      'POST',
      '/v1/sessions/refresh',
      { refreshToken },
      key === undefined ? {} : { 'idempotency-key': key },
    );
    expect({ status, problem: status === 200 ? undefined : body }).toEqual({ status: 200 });
    return body.refreshToken;
  }

  async function overGrpc(refreshToken: string, key: string | undefined): Promise<string> {
    const answer = await grpc.call<IssuedSession>('SessionService', 'Refresh', {
      refreshToken,
      ...(key === undefined ? {} : { idempotencyKey: key }),
    });
    return answer.refreshToken;
  }
});
