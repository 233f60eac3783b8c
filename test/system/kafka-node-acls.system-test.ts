import { afterEach, expect, it } from '@jest/globals';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type KafkaConfig,
} from 'kafkajs';
import type { KafkaUserName, SecuredKafkaCluster } from '#local-cluster';
import { topicAcls } from '#revocation-bus';
import { createCurfewWith } from '../../libs/sdk/core/curfew.js';
import { AUDIENCE, ISSUER, SigningKey } from '../../libs/sdk/core/minted-token.double.js';
import { RestDoorDouble } from '../../libs/sdk/core/rest-door.double.js';
import { kafkaRevocations } from '#sdk/kafka';
import { describeWithSecuredKafka } from '../support/kafka.js';
import { LaneWorld } from '../support/lane-world.js';

const loginOf = ({ brokers, tls, users }: SecuredKafkaCluster, name: KafkaUserName): KafkaConfig => ({
  brokers: [...brokers],
  ssl: { ca: [tls.ca] },
  sasl: { mechanism: 'scram-sha-512', ...users[name] },
});

describeWithSecuredKafka('a node on a broker that asks who it is', (cluster) => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function grantWhatIsPrinted(service: LaneWorld): Promise<void> {
    const grants = topicAcls({
      relayPrincipal: 'User:relay',
      nodePrincipal: `User:${cluster().users.node.username}`,
      nodeGroupPrefix: 'curfew-',
      revocationsTopic: service.topic,
      sessionEventsTopic: 'none',
    });
    const operations = {
      Read: 'READ',
      Write: 'WRITE',
      Describe: 'DESCRIBE',
      DescribeConfigs: 'DESCRIBE_CONFIGS',
    } as const;
    const admin = service.kafka.admin();
    await admin.connect();
    await admin.createAcls({
      acl: grants.flatMap((grant) =>
        grant.operations.map((operation) => ({
          principal: grant.principal,
          host: '*',
          operation: AclOperationTypes[operations[operation]],
          permissionType: AclPermissionTypes.ALLOW,
          resourceType: grant.resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
          resourceName: grant.name,
          resourcePatternType:
            grant.pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
        })),
      ),
    });
    await admin.disconnect();
  }

  it('G10: needs no more than what `curfew topics create` prints', async () => {
    const service = new LaneWorld(loginOf(cluster(), 'admin'));
    await service.createTopic();
    closing.push(() => service.stopRelay());
    await service.startRelay();
    const told: string[] = [];
    const curfew = createCurfewWith(
      {
        service: 'http://service.test',
        watch: 'http://watch.test',
        apiKey: 'key-1',
        issuer: ISSUER,
        audience: AUDIENCE,
        tenant: 'acme',
        revocations: kafkaRevocations({
          kafka: loginOf(cluster(), 'node'),
          topic: service.topic,
          fallback: 'none',
          onDiagnostic: ({ message }) => told.push(message),
        }),
      },
      { fetch: new RestDoorDouble(new SigningKey('k1').jwk()).fetch, dial: service.dial },
    );
    closing.push(() => curfew.close());
    await expect(curfew.ready({ timeoutMs: 1500 })).rejects.toMatchObject({ code: 'ERR_STALE' });
    expect(told.join()).toMatch(/authori[sz]ed/i);
    await grantWhatIsPrinted(service);
    await curfew.ready({ timeoutMs: 30_000 });
    expect(told.join()).not.toContain(cluster().users.node.password);
  }, 60_000);
});
