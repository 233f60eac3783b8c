import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Service } from '#local-cluster';
import type { Curfew, IssuedSession } from '#sdk';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { startSecondInstance } from '../support/embedded.js';
import { startNode } from '../support/nodes.js';

const B = 2_000;

describe('two instances on one PostgreSQL (DATABASE_URL)', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let first: TestService;
  let second: Service;
  let node: Curfew;

  beforeAll(async () => {
    folder = await dataFolder();
    first = await startTestService(folder.path);
    second = await startSecondInstance(folder.path);
    node = await startNode(first, { watch: [second.grpc, first.grpc] });
  });
  afterAll(async () => {
    await node.close();
    await second.child.stop();
    await first.child.stop();
    await folder.remove();
  });

  const create = async () =>
    (
      await first.rest.call<IssuedSession & { accessToken: string }>('POST', '/v1/sessions', {
        sub: 'user-1',
      })
    ).body;
  const accepted = (token: string): Promise<boolean> =>
    node.verify(token).then(
      () => true,
      () => false,
    );

  it('G2: a node that watches either one hears of a revocation made at the other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { sid, accessToken } = await create();
      expect(await accepted(accessToken)).toBe(true);
      await first.rest.call('DELETE', `/v1/sessions/${sid}`);
      await eventually(async () => !(await accepted(accessToken)), { within: B });
    }
  });

  it('G2: when its instance is killed, the node goes on with the other within B', async () => {
    const { sid, accessToken } = await create();
    expect(await accepted(accessToken)).toBe(true);
    second.child.signal('SIGKILL');
    await second.child.ended();
    const killed = performance.now();
    while (performance.now() - killed < B + 500) {
      expect(await accepted(accessToken)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(node.lease().fresh).toBe(true);
    await first.rest.call('DELETE', `/v1/sessions/${sid}`);
    await eventually(async () => !(await accepted(accessToken)), { within: B });
  });
});
