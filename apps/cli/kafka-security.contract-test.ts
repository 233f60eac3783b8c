import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Admin, Kafka } from 'kafkajs';
import type { KafkaUser, KafkaUserName } from '#local-cluster';
import { KafkaEnvironment, openKafka, readKafkaConnection } from '#revocation-bus';
import { aclEntriesOf } from '../../test/support/acl-lines.js';
import { eventually } from '../../test/support/cluster.js';
import { describeWithSecuredKafka } from '../../test/support/kafka.js';
import { runCli } from './program.js';

const REVOCATIONS = 'curfew.revocations.v1';
const NOT_ALLOWED = /[Aa]uthoriz/;
/** What kafkajs makes of a group that its principal may not use. */
const NO_GROUP = /group coordinator/;
const SESSION_EVENTS = 'curfew.session-events.v1';

describeWithSecuredKafka('Kafka that asks for TLS and SASL', (kafka) => {
  let folder: string;
  let caFile: string;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'curfew-kafka-security-'));
    caFile = join(folder, 'ca.pem');
    await writeFile(caFile, kafka().tls.ca);
  });
  afterAll(() => rm(folder, { recursive: true }));
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  type Settings = Record<string, string>;
  const settingsOf = ({ username, password }: KafkaUser, mechanism = 'scram-sha-512'): Settings => ({
    KAFKA_BROKERS: kafka().brokers.join(),
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: caFile,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
  });

  /** What the client said, for secrets that must not be in it. */
  let lines: string[] = [];
  async function open(settings: Settings): Promise<Kafka> {
    lines = [];
    const env = Object.assign(new KafkaEnvironment(), settings, {
      KAFKA_TLS: settings['KAFKA_TLS'] === 'true',
    });
    const connection = await readKafkaConnection(env, 'test');
    return openKafka(connection!, (_level, message) => lines.push(message));
  }
  async function adminWith(settings: Settings): Promise<Admin> {
    const admin = (await open(settings)).admin();
    closing.push(() => admin.disconnect());
    await admin.connect();
    return admin;
  }
  const as = (name: KafkaUserName) => open(settingsOf(kafka().users[name]));

  async function curfew(words: string, settings: Settings) {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCli(words.split(' '), {
      env: settings,
      print: (text) => out.push(text),
      complain: (text) => err.push(text),
    });
    return { code, out: out.join('\n'), err: err.join('\n') };
  }

  describe('connecting', () => {
    it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('authenticates by %s', async (mechanism) => {
      const admin = await adminWith(settingsOf(kafka().users.admin, mechanism));
      expect((await admin.describeCluster()).brokers).toHaveLength(1);
    });

    it('authenticates by a client certificate', async () => {
      const { brokers, cert, key } = kafka().mutualTls;
      await writeFile(join(folder, 'client.crt'), cert);
      await writeFile(join(folder, 'client.key'), key, { mode: 0o600 });
      const settings = { KAFKA_BROKERS: brokers.join(), KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: caFile };
      const files = {
        KAFKA_TLS_CERT_FILE: join(folder, 'client.crt'),
        KAFKA_TLS_KEY_FILE: join(folder, 'client.key'),
      };
      const admin = await adminWith({ ...settings, ...files });
      // Only a principal with rights may ask for that.
      expect(await admin.listTopics()).toEqual(expect.any(Array));
      await expect(adminWith(settings)).rejects.toThrow();
    });

    it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
      'is refused with a wrong password by %s',
      async (mechanism) => {
        const wrong = { username: 'admin', password: 'not-the-password' };
        await expect(adminWith(settingsOf(wrong, mechanism))).rejects.toThrow(/[Aa]uthentication failed/);
        expect(lines.join('\n')).not.toContain(wrong.password);
        const { code, err } = await curfew('topics check', settingsOf(wrong, mechanism));
        expect([code, err]).toEqual([
          1,
          expect.stringMatching(/^curfew: Kafka refuses: .*[Aa]uthentication failed/),
        ]);
        expect(err).not.toContain(wrong.password);
      },
    );

    it('does not talk to a broker whose certificate another authority signed', async () => {
      const settings = settingsOf(kafka().users.admin);
      delete settings['KAFKA_TLS_CA_FILE'];
      await expect(adminWith(settings)).rejects.toThrow(/certificate/);
      const { code, err } = await curfew('topics check', settings);
      expect([code, err]).toEqual([3, expect.stringMatching(/certificate/)]);
    });

    it('does not get in without TLS', async () => {
      const settings = { ...settingsOf(kafka().users.admin), KAFKA_TLS: 'false' };
      delete (settings as Settings)['KAFKA_TLS_CA_FILE'];
      await expect(adminWith(settings)).rejects.toThrow();
    });
  });

  describe('the ACLs that curfew topics create prints', () => {
    const produce = async (name: KafkaUserName, topic: string) => {
      const producer = (await as(name)).producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: () => () => 0,
      });
      closing.push(() => producer.disconnect());
      await producer.connect();
      await producer.send({ topic, acks: -1, messages: [{ value: `from ${name}` }] });
    };
    /** @returns values that were read; an error that ended the consumer */
    async function consume(name: KafkaUserName, topic: string, groupId: string) {
      const consumer = (await as(name)).consumer({
        groupId,
        allowAutoTopicCreation: false,
        maxWaitTimeInMs: 200,
        retry: { retries: 0 },
      });
      closing.push(() => consumer.disconnect());
      const values: string[] = [];
      let crash: Error | undefined;
      consumer.on('consumer.crash', ({ payload }) => (crash = payload.error));
      try {
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachMessage: ({ message }) => Promise.resolve(void values.push(String(message.value))),
        });
        await eventually(() => crash !== undefined || values.length > 0);
      } catch (error) {
        crash ??= error as Error;
      }
      if (crash) throw crash;
      return values;
    }
    const check = (name: KafkaUserName) => curfew('topics check', settingsOf(kafka().users[name]));

    beforeAll(async () => {
      const { code, out } = await curfew(
        'topics create --json --relay-principal relay --node-principal User:node',
        settingsOf(kafka().users.admin),
      );
      expect(code).toBe(0);
      // Nobody has been allowed anything yet.
      await expect(produce('relay', REVOCATIONS)).rejects.toThrow(NOT_ALLOWED);
      expect((await check('relay')).err).toContain(
        `${REVOCATIONS}: permission is no Describe, must be Describe.`,
      );
      const { acls } = JSON.parse(out) as { acls: string[] };
      const admin = await adminWith(settingsOf(kafka().users.admin));
      await admin.createAcls({ acl: acls.flatMap(aclEntriesOf) });
      // Brokers learn of them a moment later.
      await eventually(async () => (await check('relay')).code === 0);
    });

    it('G10: let the relay write both topics, with an idempotent producer, and check them', async () => {
      await produce('relay', REVOCATIONS);
      await produce('relay', SESSION_EVENTS);
      expect(await check('relay')).toMatchObject({ code: 0 });
    });

    it('G10: let a node read the revocations in a group of its own', async () => {
      // The first group of a broker waits until its coordinator is there.
      const read = () => consume('node', REVOCATIONS, 'curfew-node-1').catch(() => undefined);
      expect(await eventually(read)).toContain('from relay');
      const admin = await adminWith(settingsOf(kafka().users.node));
      expect(await admin.fetchTopicOffsetsByTimestamp(REVOCATIONS, Date.now() - 60_000)).toHaveLength(4);
    });

    it('G10: let a node do nothing else', async () => {
      await expect(produce('node', REVOCATIONS)).rejects.toThrow(NOT_ALLOWED);
      await expect(produce('node', SESSION_EVENTS)).rejects.toThrow(NOT_ALLOWED);
      await expect(consume('node', SESSION_EVENTS, 'curfew-node-1')).rejects.toThrow(NOT_ALLOWED);
      await expect(consume('node', REVOCATIONS, 'billing')).rejects.toThrow(NO_GROUP);
    });

    it('G10: do not let the relay read, nor anybody else do anything', async () => {
      await expect(consume('relay', REVOCATIONS, 'curfew-node-1')).rejects.toThrow(NO_GROUP);
      await expect(produce('stranger', REVOCATIONS)).rejects.toThrow(NOT_ALLOWED);
      await expect(consume('stranger', REVOCATIONS, 'curfew-node-1')).rejects.toThrow(NOT_ALLOWED);
      expect(await check('stranger')).toMatchObject({ code: 1 });
    });
  });
});
