import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type TestService } from '../support/cluster.js';
import { describeWithKafka } from '../support/kafka.js';
import { deleteTopic, kafkaClient, LaneReader, makeTopic, truncateTopic } from '../support/lanes.js';
import { LANES, newSession, Relayed, revoke } from '../support/relayed.js';

const newest = (reader: LaneReader): number => Math.max(0, ...reader.incarnations);

/** Resolves when every lane has brought a barrier of that incarnation that is at least `n`. */
const beats = (reader: LaneReader, incarnation: number, n = 1n): Promise<boolean> =>
  eventually(() => reader.barriers(incarnation, LANES).every((barrier) => barrier >= n), {
    within: 30_000,
    what: `heartbeats of ${incarnation}`,
  }).then(() => true);

describeWithKafka('the relay', (kafka) => {
  // Inside: what is closed here must still find its broker.
  describe('on a broker', () => {
    let relayed: Relayed;
    let reader: LaneReader;
    let first: TestService;
    let second: TestService;
    beforeAll(async () => {
      relayed = await Relayed.start(kafka().brokers, 'relay');
      first = await relayed.instance();
      reader = await LaneReader.open(kafka().brokers, relayed.topic);
      await eventually(() => reader.incarnations.length === 1, { within: 30_000, what: 'the first leader' });
      second = await relayed.instance();
    });
    afterAll(async () => {
      await reader.close();
      await relayed.close();
    });

    const barrierNow = async (): Promise<bigint> =>
      BigInt((await relayed.pool.query<{ n: string }>('select n from curfew.barrier')).rows[0]!.n);

    it('brings each revocation in milliseconds, and a heartbeat behind it on every lane', async () => {
      const delays: number[] = [];
      for (let i = 0; i < 30; i++) {
        const sid = await newSession(first, `user-${i}`);
        await revoke(first, sid);
        const revokedAt = performance.now();
        const [arrival] = await eventually(() => reader.of(sid).length > 0 && reader.of(sid));
        delays.push(arrival!.at - revokedAt);
      }
      delays.sort((a, b) => a - b);
      console.log(
        `revoke returned → record read: p50 ${delays[15]!.toFixed(1)} ms, worst ${delays[29]!.toFixed(1)} ms`,
      );
      expect(delays[15]).toBeLessThan(500);
      const n = await barrierNow();
      await beats(reader, newest(reader), n);
      expect(reader.gaps(newest(reader))).toEqual([]);
      const { stream_id, lanes } = (await relayed.record())!;
      for (const { place } of reader.records) expect(place).toMatchObject({ streamId: stream_id, lanes });
    });

    it('G6, G7: brings every event of a session, in order, without secrets', async () => {
      const { body } = await first.rest.call<{ sid: string; refreshToken: string }>('POST', '/v1/sessions', {
        sub: 'user-events',
        client: 'web',
        device: { name: 'My phone', ip: '203.0.113.9' },
      });
      await first.rest.call('POST', '/v1/sessions/refresh', { refreshToken: body.refreshToken });
      await revoke(first, body.sid);
      const consumer = kafkaClient(kafka().brokers).consumer({ groupId: relayed.eventsTopic });
      const events: { type: string; key: string; text: string }[] = [];
      try {
        await consumer.connect();
        await consumer.subscribe({ topic: relayed.eventsTopic, fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachMessage: ({ message }) => {
            const { key, value, headers } = message;
            const text = `${String(value)} ${JSON.stringify(headers, (_, part: unknown) => part)}`;
            events.push({ key: String(key), type: String(headers?.['ce_type']), text });
            return Promise.resolve();
          },
        });
        const ofSession = await eventually(
          () => {
            const own = events.filter(({ key }) => key === body.sid);
            return own.some(({ type }) => type === 'curfew.session.revoked') && own;
          },
          { within: 20_000, what: 'the events' },
        );
        expect(ofSession.map(({ type }) => type)).toEqual([
          'curfew.session.created',
          'curfew.session.rotated',
          'curfew.session.revoked',
        ]);
        for (const { text } of events)
          expect(text).not.toMatch(/secretHash|salt|macKeyId|pepperId|keyId|"box"/);
      } finally {
        await consumer.disconnect();
      }
    });

    it('G9: another instance takes over from a leader that was killed, and republishes the window', async () => {
      const leader = await eventually(() => relayed.leader(), { what: 'one leader' });
      const other = leader === first ? second : first;
      const before = newest(reader);
      const revoked = reader.records.flatMap(({ content }) =>
        content.kind === 'revocation' ? [content.published.revocationId] : [],
      );
      const sid = await newSession(other, 'user-orphan');
      leader.child.signal('SIGKILL');
      const killedAt = performance.now();
      await revoke(other, sid);
      const after = await eventually(() => newest(reader) > before && newest(reader), {
        within: 30_000,
        what: 'a new leader',
      });
      await beats(reader, after);
      console.log(
        `leader killed → heartbeats of the next: ${((performance.now() - killedAt) / 1_000).toFixed(1)} s`,
      );
      const republished = reader.records.filter(({ place }) => place.incarnation === after);
      const again = republished.flatMap(({ content }) =>
        content.kind === 'revocation' ? [content.published.revocationId] : [],
      );
      expect(again).toEqual(expect.arrayContaining([...revoked, sid]));
      expect(reader.gaps(after)).toEqual([]);
      for (let lane = 0; lane < LANES; lane++)
        expect(republished.find((record) => record.lane === lane)?.place.sequence).toBe(1);
      second = other;
      first = await relayed.instance();
    });

    it('two leaders at once do no harm: the one that was stopped finds its lock gone', async () => {
      const before = newest(reader);
      const stopped = await eventually(() => relayed.leader(), { what: 'one leader' });
      const other = stopped === first ? second : first;
      stopped.child.signal('SIGSTOP');
      await relayed.pool.query(
        `select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid
          where l.locktype = 'advisory' and a.application_name = 'curfew-relay'`,
      );
      const after = await eventually(() => newest(reader) > before && newest(reader), {
        within: 30_000,
        what: 'a new leader',
      });
      await beats(reader, after);
      stopped.child.signal('SIGCONT');
      const sid = await newSession(other, 'user-two');
      await revoke(other, sid);
      await eventually(() => reader.of(sid).some(({ place }) => place.incarnation === after));
      await beats(reader, after, await barrierNow());
      expect(await eventually(() => relayed.leader(), { what: 'one leader' })).toBe(other);
      expect((await relayed.record())?.incarnation).toBe(after);
      for (const incarnation of reader.incarnations) expect(reader.gaps(incarnation)).toEqual([]);
    });

    /** Ids that were published, by all leaders or by one. */
    const published = (by?: number): Set<string> =>
      new Set(
        reader.records.flatMap(({ content, place }) =>
          content.kind === 'revocation' && place.incarnation === (by ?? place.incarnation)
            ? [content.published.revocationId]
            : [],
        ),
      );

    it('a topic that was cut off gets the window again, so that nodes can begin there', async () => {
      const before = (await relayed.record())!;
      const revoked = published();
      await truncateTopic(kafkaClient(kafka().brokers), relayed.topic);
      const after = await eventually(
        async () => {
          const record = await relayed.record();
          return record!.incarnation > before.incarnation && record!;
        },
        { within: 15_000, what: 'a new incarnation' },
      );
      expect(after.stream_id).toBe(before.stream_id);
      await beats(reader, after.incarnation);
      expect(published(after.incarnation)).toEqual(revoked);
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      // It looks every 5 s, and is content now.
      expect((await relayed.record())?.incarnation).toBe(after.incarnation);
    });

    it('a topic that was deleted and made anew has a new stream id, and the window again', async () => {
      const before = (await relayed.record())!;
      const revoked = published();
      await reader.close();
      await deleteTopic(kafka().brokers, relayed.topic);
      await eventually(
        () =>
          makeTopic(kafka().brokers, relayed.topic, LANES).then(
            () => true,
            () => false,
          ),
        {
          within: 20_000,
          what: 'the topic made anew',
        },
      );
      reader = await LaneReader.open(kafka().brokers, relayed.topic);
      const after = await eventually(
        async () => {
          const record = await relayed.record();
          return record?.stream_id !== before.stream_id && record;
        },
        { within: 40_000, what: 'a new stream id' },
      );
      expect(after.incarnation).toBeGreaterThan(before.incarnation);
      await beats(reader, after.incarnation);
      expect(published(after.incarnation)).toEqual(revoked);
      expect(reader.gaps(after.incarnation)).toEqual([]);
    });
  });
});

describeWithKafka(
  'the relay and its broker',
  (kafka) => {
    describe('on a broker that dies', () => {
      let relayed: Relayed;
      let reader: LaneReader;
      let service: TestService;
      beforeAll(async () => {
        relayed = await Relayed.start(kafka().brokers, 'outage');
        service = await relayed.instance();
        reader = await LaneReader.open(kafka().brokers, relayed.topic);
        await eventually(() => reader.incarnations.length === 1, {
          within: 30_000,
          what: 'the first leader',
        });
      });
      afterAll(async () => {
        await reader.close();
        await relayed.close();
      });

      it('G9: 1,000 revokes while the broker is down: none fails, all arrive when it is back', async () => {
        const sids = await inGroups(1_000, 25, (i) => newSession(service, `user-${i}`));
        const [node] = kafka().nodes;
        await reader.close();
        await node!.kill();
        const began = performance.now();
        await inGroups(sids.length, 25, (i) => revoke(service, sids[i]!));
        console.log(`1,000 revokes without a broker: ${(performance.now() - began).toFixed(0)} ms`);
        await node!.restart();
        const backAt = performance.now();
        reader = await LaneReader.open(kafka().brokers, relayed.topic);
        await eventually(() => sids.every((sid) => reader.of(sid).length > 0), {
          within: 60_000,
          what: 'every revocation',
        });
        console.log(`broker back → all 1,000 read: ${((performance.now() - backAt) / 1_000).toFixed(1)} s`);
        await beats(reader, newest(reader));
        for (const incarnation of reader.incarnations) expect(reader.gaps(incarnation)).toEqual([]);
      });
    });
  },
  { faults: true },
);

async function inGroups<T>(count: number, size: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < count; i += size) {
    const group = Array.from({ length: Math.min(size, count - i) }, (_, j) => work(i + j));
    results.push(...(await Promise.all(group)));
  }
  return results;
}
