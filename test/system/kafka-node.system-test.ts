import { afterEach, expect, it } from '@jest/globals';
import type { Curfew, Diagnostic } from '#sdk';
import {
  kafkaRevocations,
  type KafkaDiagnostic,
  type KafkaRevocations,
  type KafkaRevocationsOptions,
} from '#sdk/kafka';
import { createCurfewWith } from '../../libs/sdk/core/curfew.js';
import { AUDIENCE, ISSUER, SigningKey } from '../../libs/sdk/core/minted-token.double.js';
import { RestDoorDouble } from '../../libs/sdk/core/rest-door.double.js';
import { eventually } from '../support/cluster.js';
import { describeWithKafka } from '../support/kafka.js';
import { LaneWorld } from '../support/lane-world.js';

const BOUND = 2000;
const key = new SigningKey('k1');

const token = (sid: string): string => {
  const now = Math.floor(Date.now() / 1000);
  return key.token({ sid, jti: sid, iat: now - 1, exp: now + 250, auth_time: now - 1 });
};

interface TestNode {
  readonly curfew: Curfew;
  readonly source: KafkaRevocations;
  readonly told: KafkaDiagnostic[];
  readonly failures: Diagnostic[];
  readonly verdict: (sid: string) => Promise<string>;
}

describeWithKafka(
  'a node over Kafka',
  (cluster) => {
    const closing: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
    });

    async function world(lanes = 2): Promise<LaneWorld> {
      const made = new LaneWorld({ brokers: [...cluster().brokers] }, lanes);
      await made.createTopic();
      closing.push(() => made.stopRelay());
      await made.startRelay();
      return made;
    }

    function node(
      { dial, topic }: LaneWorld,
      options: Partial<KafkaRevocationsOptions> = {},
      nodeId = 'node-1',
    ): TestNode {
      const told: KafkaDiagnostic[] = [];
      const failures: Diagnostic[] = [];
      const source = kafkaRevocations({
        kafka: { brokers: [...cluster().brokers] },
        topic,
        onDiagnostic: (diagnostic) => told.push(diagnostic),
        ...options,
      });
      const curfew = createCurfewWith(
        {
          service: 'http://service.test',
          watch: 'http://watch.test',
          apiKey: 'key-1',
          issuer: ISSUER,
          audience: AUDIENCE,
          tenant: 'acme',
          onStale: 'reject',
          stalenessBound: BOUND,
          nodeId,
          revocations: source,
          onDiagnostic: (diagnostic) => failures.push(diagnostic),
        },
        { fetch: new RestDoorDouble(key.jwk()).fetch, dial },
      );
      closing.push(() => curfew.close());
      const verdict = (sid: string): Promise<string> =>
        curfew.verify(token(sid)).then(
          () => 'accepted',
          (error: { code: string }) => error.code,
        );
      return { curfew, source, told, failures, verdict };
    }

    /** Until Kafka itself renews the lease once more. */
    async function renewsOverKafka({ source }: TestNode): Promise<void> {
      const { renewals } = source.stats();
      await eventually(() => source.stats().renewals > renewals + 1, {
        within: 20_000,
        what: 'Kafka renews',
      });
    }

    /** No acceptance later than B after `revoke` returned, whatever the node knows. */
    async function refusedWithinBound(
      { verdict }: TestNode,
      service: LaneWorld,
      sid: string,
    ): Promise<number> {
      const returned = performance.now();
      service.revoke(sid);
      await eventually(async () => (await verdict(sid)) !== 'accepted', { within: BOUND, what: 'refusal' });
      return performance.now() - returned;
    }

    it('G2: finds at start what was revoked before, and refuses at once what is revoked then', async () => {
      const service = await world();
      service.revoke('early');
      const { curfew, verdict } = node(service, { fallback: 'none' });
      await curfew.ready();
      expect([await verdict('early'), await verdict('late')]).toEqual(['ERR_TOKEN_REFUSED', 'accepted']);
      const before = performance.now();
      service.revoke('late');
      await eventually(async () => (await verdict('late')) === 'ERR_TOKEN_REFUSED', { within: 1000 });
      // Publish to handler takes a few milliseconds; a busy machine gets a hundred.
      expect(performance.now() - before).toBeLessThan(100);
    });

    it('is ready only when every lane brought a heartbeat', async () => {
      const service = await world(3);
      service.mute(2);
      const { curfew, source } = node(service, { fallback: 'none' });
      await eventually(() => source.stats().records > 20);
      expect(curfew.lease().fresh).toBe(false);
      service.mute(undefined);
      await curfew.ready();
      expect(curfew.lease().fresh).toBe(true);
    });

    it('reports the cursor of the heartbeat that its lease rests on', async () => {
      const service = await world();
      const { curfew } = node(service, {}, 'node-7');
      await curfew.ready();
      const reported = await eventually(() =>
        service.renewals.find((renewal) => renewal.appliedCursor !== ''),
      );
      expect(reported).toMatchObject({ nodeId: 'node-7', appliedCursor: expect.stringMatching(/^c\d+$/) });
      expect(service.renewals[0]).toMatchObject({ appliedCursor: '' });
    });

    it('G2: a broker that is killed: Watch takes over within B, and hands back', async () => {
      const service = await world();
      const it = node(service);
      await it.curfew.ready();
      const [broker] = cluster().nodes;
      await broker!.kill();
      await refusedWithinBound(it, service, 'killed');
      await eventually(() => it.curfew.lease().fresh && it.source.stats().fallback, { within: BOUND });
      expect(await it.verdict('other')).toBe('accepted');
      expect(await it.verdict('killed')).toBe('ERR_TOKEN_REFUSED');
      await broker!.restart();
      await service.startRelay();
      await renewsOverKafka(it);
      await eventually(() => !it.source.stats().fallback, { within: 20_000, what: 'the fallback closes' });
      await refusedWithinBound(it, service, 'after');
      expect(await it.verdict('other')).toBe('accepted');
    }, 60_000);

    it('G2: a broker that stops without closing its sockets', async () => {
      const service = await world();
      const it = node(service, { fallback: 'none' });
      await it.curfew.ready();
      const [broker] = cluster().nodes;
      await broker!.pause();
      try {
        await refusedWithinBound(it, service, 'paused');
        await eventually(() => !it.curfew.lease().fresh, { within: BOUND + 100 });
      } finally {
        await broker!.resume();
      }
      await renewsOverKafka(it);
      expect([await it.verdict('paused'), await it.verdict('other')]).toEqual([
        'ERR_TOKEN_REFUSED',
        'accepted',
      ]);
    }, 60_000);

    it('G2: records that are missing: no lease from Kafka until the next relay', async () => {
      const service = await world();
      const it = node(service, { fallback: 'none' });
      await it.curfew.ready();
      service.skip(1);
      await eventually(() => !it.curfew.lease().fresh, { within: BOUND + 1000 });
      const { renewals } = it.source.stats();
      await eventually(() => it.source.stats().consumers > 1);
      expect(it.told.map(({ kind }) => kind)).toContain('gap');
      expect(it.source.stats().renewals).toBe(renewals);
      await service.startRelay();
      await renewsOverKafka(it);
      expect(it.curfew.lease().fresh).toBe(true);
    }, 30_000);

    it('takes what is no record of the stream for what it is', async () => {
      const service = await world();
      const it = node(service, { fallback: 'none' });
      await it.curfew.ready();
      await service.writeGarbage(0);
      await eventually(() => it.told.some(({ kind }) => kind === 'unreadable-record'));
      await renewsOverKafka(it);
      expect(it.source.stats()).toMatchObject({ gaps: 0, consumers: 1 });
    });

    it('G2: a topic that is deleted and made anew', async () => {
      const service = await world();
      const it = node(service, { fallback: 'none' });
      await it.curfew.ready();
      await service.stopRelay();
      await service.deleteTopic();
      await refusedWithinBound(it, service, 'between');
      await eventually(() =>
        service.createTopic().then(
          () => true,
          () => false,
        ),
      );
      service.streamId = 'the-second';
      await service.startRelay();
      await renewsOverKafka(it);
      expect([await it.verdict('between'), await it.verdict('other')]).toEqual([
        'ERR_TOKEN_REFUSED',
        'accepted',
      ]);
    }, 40_000);

    it('G2: a topic that gets more lanes', async () => {
      const service = await world(2);
      const it = node(service, { fallback: 'none' });
      await it.curfew.ready();
      await service.stopRelay();
      await service.addLanes(4);
      service.lanes = 4;
      service.streamId = 'with-four';
      await service.startRelay();
      await renewsOverKafka(it);
      expect(it.told.map(({ kind }) => kind)).toContain('stream-changed');
      for (const sid of ['a', 'b', 'c', 'd', 'e', 'f']) await refusedWithinBound(it, service, sid);
    }, 30_000);

    it('has no lease while the topic has other lanes than the relay says', async () => {
      const service = await world(2);
      await service.addLanes(3);
      const it = node(service, { fallback: 'none' });
      await eventually(() => it.told.find(({ message }) => message.includes('3 lanes')));
      expect(it.curfew.lease().fresh).toBe(false);
    });

    it('G2: another member in its group takes half of its lanes', async () => {
      const service = await world(2);
      const it = node(service, { fallback: 'none' }, 'robbed');
      await it.curfew.ready();
      const groupId = await groupOf(service, 'robbed');
      const robber = service.kafka.consumer({ groupId });
      closing.push(() => robber.disconnect());
      await robber.connect();
      await robber.subscribe({ topic: service.topic });
      await robber.run({ eachMessage: () => Promise.resolve() });
      await eventually(() => it.source.stats().consumers > 1, { within: 15_000 });
      await renewsOverKafka(it);
      for (const sid of ['a', 'b', 'c', 'd']) await refusedWithinBound(it, service, sid);
    }, 40_000);

    it('two nodes of one name both see everything', async () => {
      const service = await world();
      const nodes = [
        node(service, { fallback: 'none' }, 'twin'),
        node(service, { fallback: 'none' }, 'twin'),
      ];
      await Promise.all(nodes.map(({ curfew }) => curfew.ready()));
      for (const sid of ['a', 'b', 'c', 'd']) {
        service.revoke(sid);
        for (const { verdict } of nodes)
          await eventually(async () => (await verdict(sid)) === 'ERR_TOKEN_REFUSED');
      }
    });

    it('G2: a member that its group has thrown out goes on where it was', async () => {
      const service = await world(2);
      const it = node(service, { fallback: 'none' }, 'thrown-out');
      await it.curfew.ready();
      await service.throwOut(await groupOf(service, 'thrown-out'));
      // kafkajs hears of it with its next heartbeat to the group, after 3 s.
      await eventually(() => it.told.some(({ kind }) => kind === 'rejoined'), { within: 15_000 });
      for (const sid of ['a', 'b', 'c', 'd']) await refusedWithinBound(it, service, sid);
      await renewsOverKafka(it);
      expect(it.source.stats()).toMatchObject({ gaps: 0, consumers: 1 });
      // Each record once: it neither began anew nor left anything out.
      expect(it.source.stats().records).toBeLessThanOrEqual((await service.written()) + 20);
    }, 30_000);

    it('G2: a topic that was cut off: no lease until it is published again', async () => {
      const service = await world();
      service.revoke('cut-off');
      await service.settled();
      await service.truncate();
      const it = node(service, { fallback: 'none' });
      await eventually(() => it.told.some(({ kind }) => kind === 'gap'));
      await eventually(() => it.source.stats().records > 20);
      expect([it.curfew.lease().fresh, it.source.stats().renewals]).toEqual([false, 0]);
      await service.startRelay();
      await renewsOverKafka(it);
      expect([await it.verdict('cut-off'), await it.verdict('other')]).toEqual([
        'ERR_TOKEN_REFUSED',
        'accepted',
      ]);
    }, 30_000);

    it('takes a client of the caller, too', async () => {
      const service = await world();
      const it = node(service, { kafka: service.kafka, fallback: 'none' });
      await it.curfew.ready();
      await refusedWithinBound(it, service, 'a');
    });

    it('leaves nothing behind, whenever it is closed', async () => {
      const service = await world();
      await service.settled();
      const before = sockets();
      const { ready } = await startAndClose(service, () => Promise.resolve(), 'leaving-never');
      expect(ready).toBe(false);
      const last = await startAndClose(service, (curfew) => curfew.ready(), 'leaving');
      expect(last.ready).toBe(true);
      for (let round = 0; round < 15; round += 1)
        await startAndClose(
          service,
          () => new Promise((resolve) => setTimeout(resolve, 15 * round)),
          `leaving-${round}`,
        );
      await eventually(() => sockets() <= before, { what: 'the sockets are closed' });
      const admin = service.kafka.admin();
      await admin.connect();
      closing.push(() => admin.disconnect());
      await eventually(async () => {
        const { groups } = await admin.listGroups();
        const left = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith('curfew-leaving'));
        if (left.length === 0) return true;
        const described = await admin.describeGroups(left);
        return described.groups.every(({ members }) => members.length === 0);
      });
    }, 60_000);

    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP') || name.startsWith('TLS'))
        .length;

    async function startAndClose(
      service: LaneWorld,
      wait: (curfew: Curfew) => Promise<unknown>,
      name: string,
    ): Promise<{ ready: boolean }> {
      const { curfew } = node(service, {}, name);
      await wait(curfew);
      const { fresh } = curfew.lease();
      const begun = performance.now();
      await curfew.close();
      expect(performance.now() - begun).toBeLessThan(3000);
      return { ready: fresh };
    }

    async function groupOf(service: LaneWorld, nodeId: string): Promise<string> {
      const admin = service.kafka.admin();
      await admin.connect();
      const { groups } = await admin.listGroups();
      await admin.disconnect();
      return groups.map(({ groupId }) => groupId).find((id) => id.startsWith(`curfew-${nodeId}-`))!;
    }
  },
  { faults: true },
);
