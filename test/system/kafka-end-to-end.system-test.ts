import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCurfew, type Curfew } from '#sdk';
import { kafkaRevocations, type KafkaDiagnostic, type KafkaRevocations } from '#sdk/kafka';
import { eventually, type TestService } from '../support/cluster.js';
import { describeWithKafka } from '../support/kafka.js';
import { nodeOptions } from '../support/nodes.js';
import { Relayed } from '../support/relayed.js';

const NODES = 3;

interface Issued {
  readonly sid: string;
  readonly accessToken: string;
}

/** The whole way: REST door, log, relay, broker, node. */
describeWithKafka('revocations over Kafka, from end to end', (kafka) => {
  // Inside: what is closed here must still find its broker.
  describe('with service and relay', () => {
    let relayed: Relayed;
    let service: TestService;
    let nodes: Curfew[] = [];
    const sources: KafkaRevocations[] = [];
    const told: KafkaDiagnostic[] = [];

    beforeAll(async () => {
      relayed = await Relayed.start(kafka().brokers, 'end-to-end');
      service = await relayed.instance();
      nodes = Array.from({ length: NODES }, (_, at) => {
        const source = kafkaRevocations({
          kafka: { brokers: [...kafka().brokers] },
          topic: relayed.topic,
          fallback: 'none',
          onDiagnostic: (diagnostic) => told.push(diagnostic),
        });
        sources.push(source);
        return createCurfew(
          nodeOptions(service, { nodeId: `kafka-${at}`, revocations: source, onStale: 'reject' }),
        );
      });
      await Promise.all(nodes.map((node) => node.ready({ timeoutMs: 30_000 })));
    }, 120_000);
    afterAll(async () => {
      await Promise.all(nodes.map((node) => node.close()));
      await relayed?.close();
    });

    const create = async (sub: string): Promise<Issued> =>
      (await service.rest.call<Issued>('POST', '/v1/sessions', { sub, client: 'web' })).body;

    const accepts = (node: Curfew, { accessToken }: Issued): Promise<boolean> =>
      node.verify(accessToken).then(
        () => true,
        () => false,
      );

    /** Milliseconds from the revoke's return to the last node's refusal. */
    async function untilAllRefuse(issued: readonly Issued[]): Promise<number> {
      const returned = performance.now();
      for (const node of nodes)
        for (const one of issued)
          await eventually(async () => !(await accepts(node, one)), { within: 2000, what: 'refusal' });
      return performance.now() - returned;
    }

    it('G2: every node refuses within milliseconds of the revoke', async () => {
      const delays: number[] = [];
      for (let round = 0; round < 20; round += 1) {
        const issued = await create(`user-${round}`);
        for (const node of nodes) expect(await accepts(node, issued)).toBe(true);
        await service.rest.call('DELETE', `/v1/sessions/${issued.sid}`);
        delays.push(await untilAllRefuse([issued]));
      }
      delays.sort((a, b) => a - b);
      console.log(
        `revoke returned → last of ${NODES} refuses: ${delays.map((ms) => ms.toFixed(1)).join(' ')} ms`,
      );
      expect(delays[10]).toBeLessThan(100);
      expect(nodes.every((node) => node.lease().fresh)).toBe(true);
    }, 30_000);

    it('G5: one message ends all sessions of a user', async () => {
      const issued = await Promise.all([create('many'), create('many'), create('many')]);
      for (const node of nodes) for (const one of issued) expect(await accepts(node, one)).toBe(true);
      await nodes[0]!.sessions.revokeAll({
        scope: 'user',
        sub: 'many',
        reason: 'admin',
        except: [issued[1].sid],
      });
      await untilAllRefuse([issued[0], issued[2]]);
      for (const node of nodes) expect(await accepts(node, issued[1])).toBe(true);
    });

    it('keeps its lease without a gap, consumer for consumer', async () => {
      // At the start a group may have been refused while the broker made its first one.
      const early = told.length;
      const before = sources.map((source) => source.stats().renewals);
      const consumers = sources.map((source) => source.stats().consumers);
      await eventually(() => sources.every((source, at) => source.stats().renewals > before[at]! + 5));
      expect(told.slice(early)).toEqual([]);
      expect(sources.map((source) => source.stats().consumers)).toEqual(consumers);
    });

    it('G2: a service and relay that are killed: nodes go stale within B', async () => {
      const issued = await create('survivor');
      service.child.signal('SIGKILL');
      await eventually(() => nodes.every((node) => !node.lease().fresh), { within: 2100 });
      for (const node of nodes) expect(await accepts(node, issued)).toBe(false);
    }, 30_000);
  });
});
