import { writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { built, type KafkaUserName } from '#local-cluster';
import { openKafka, readKafkaConnection, KafkaEnvironment } from '#revocation-bus';
import { aclEntriesOf } from '../support/acl-lines.js';
import { dataFolder, eventually, startTestService, type TestService } from '../support/cluster.js';
import { describeWithSecuredKafka } from '../support/kafka.js';

const REVOCATIONS = 'curfew.revocations.v1';
const run = promisify(execFile);

describeWithSecuredKafka('the service on a Kafka that asks for TLS and SASL', (kafka) => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let admin: Admin;
  let service: TestService | undefined;

  /** As the operator sets them; the password from a file. */
  const settingsOf = (name: KafkaUserName): Record<string, string> => ({
    KAFKA_BROKERS: kafka().brokers.join(),
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: `${folder.path}-ca.pem`,
    KAFKA_SASL_MECHANISM: 'scram-sha-256',
    KAFKA_SASL_USERNAME: name,
    KAFKA_SASL_PASSWORD_FILE: `${folder.path}-${name}.password`,
  });
  const kafkaAs = async (name: KafkaUserName) => {
    const env = Object.assign(new KafkaEnvironment(), settingsOf(name), { KAFKA_TLS: true });
    return openKafka((await readKafkaConnection(env, 'test'))!, () => undefined);
  };
  const setRetention = (value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: REVOCATIONS,
          configEntries: [{ name: 'retention.ms', value }],
        },
      ],
    });
  const start = async () => {
    service = await startTestService(folder.path, settingsOf('relay'));
    return service;
  };
  const metric = async (name: string): Promise<number> => {
    const { http } = service!;
    const text = await (
      await fetch(`${http}/metrics`, { headers: { authorization: `Bearer ${service!.apiKey}` } })
    ).text();
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  };

  beforeAll(async () => {
    folder = await dataFolder();
    await writeFile(`${folder.path}-ca.pem`, kafka().tls.ca);
    for (const [name, { password }] of Object.entries(kafka().users))
      await writeFile(`${folder.path}-${name}.password`, `${password}\n`, { mode: 0o600 });
    admin = (await kafkaAs('admin')).admin();
    await admin.connect();
  });
  afterEach(async () => {
    await service?.child.stop();
    service = undefined;
  });
  afterAll(async () => {
    await admin.disconnect();
    await folder.remove();
  });

  it('does not start as relay without its topics and permissions, and says which', async () => {
    await expect(start()).rejects.toThrow(
      /ERR_KAFKA_TOPIC_REFUSED: .*\n +curfew\.revocations\.v1: permission is no Describe/,
    );
    const { stdout } = await run(
      process.execPath,
      [
        built('apps/cli/main.js'),
        'topics',
        'create',
        '--json',
        '--relay-principal',
        'relay',
        '--node-principal',
        'node',
      ],
      { env: { PATH: process.env['PATH'], ...settingsOf('admin') } },
    );
    const { acls } = JSON.parse(stdout) as { acls: string[] };
    await admin.createAcls({ acl: acls.flatMap(aclEntriesOf) });
  });

  it('brings revocations and heartbeats to whom the ACLs let read', async () => {
    const { rest } = await start();
    const consumer = (await kafkaAs('node')).consumer({ groupId: 'curfew-node-1', maxWaitTimeInMs: 200 });
    const types: string[] = [];
    const sids: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: REVOCATIONS, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ message }) => {
        types.push(String(message.headers?.['ce_type']));
        const { sid } = JSON.parse(String(message.value)) as { sid?: string };
        if (sid !== undefined) sids.push(sid);
        return Promise.resolve();
      },
    });
    try {
      const created = await rest.call<{ sid: string }>('POST', '/v1/sessions', {
        sub: 'user-1',
        client: 'web',
      });
      await rest.call('DELETE', `/v1/sessions/${created.body.sid}`);
      await eventually(() => sids.includes(created.body.sid) && types.includes('curfew.heartbeat'), {
        within: 20_000,
        what: 'the revocation and a heartbeat on the topic',
      });
      expect(await metric('curfew_relay_topic_findings')).toBe(0);
    } finally {
      await consumer.disconnect();
    }
  });

  it('starts while no broker answers, and publishes nothing to a topic that turns out wrong until it is mended', async () => {
    await setRetention('60000');
    const [node] = kafka().nodes;
    await node!.pause();
    try {
      await start();
    } finally {
      await node!.resume();
    }
    await eventually(async () => (await metric('curfew_relay_topic_findings')) === 1, {
      within: 30_000,
      what: 'the finding',
    });
    expect(await metric('curfew_relay_heartbeats_total')).toBe(0);
    expect((await fetch(`${service!.http}/readyz`)).status).toBe(200);
    await setRetention('86400000');
    await eventually(async () => (await metric('curfew_relay_heartbeats_total')) > 0, {
      within: 30_000,
      what: 'a heartbeat',
    });
    expect(await metric('curfew_relay_topic_findings')).toBe(0);
  });

  it('does not start as relay on a topic that is wrong, and starts without the role', async () => {
    await setRetention('60000');
    await expect(start()).rejects.toThrow(
      `${REVOCATIONS}: retention.ms is 60000, must be at least 3600000 (4 times CURFEW_MAX_ACCESS_TTL), or -1. Mend: curfew topics create --alter`,
    );
    service = await startTestService(folder.path, { ...settingsOf('relay'), CURFEW_RELAY: 'false' });
    expect((await fetch(`${service.http}/readyz`)).status).toBe(200);
  });
});
