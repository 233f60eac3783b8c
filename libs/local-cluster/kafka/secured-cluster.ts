import { randomBytes } from 'node:crypto';
import { startOnJava, type ClusterSecurity, type JavaClusterOptions } from './java-cluster.js';
import type { KafkaUser, KafkaUserName, SecuredKafkaCluster } from './kafka-cluster.js';
import { makeTlsMaterial, type TlsMaterial } from './tls-material.js';

const CLIENTS = 'SASL_SSL';
const WITH_CERTIFICATE = 'SSL';
/** Among the brokers, in the clear on loopback: what is tested is the clients' listener. */
const AMONG_BROKERS = 'INTERNAL';
const USER_NAMES: readonly KafkaUserName[] = ['admin', 'relay', 'node', 'stranger'];
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];
const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';

/** SASL over TLS with ACLs in force, and a listener for client certificates. */
export async function startSecured(
  options: Omit<JavaClusterOptions, 'secure'>,
): Promise<SecuredKafkaCluster> {
  const users = makeUsers();
  const made: { tls?: TlsMaterial } = {};
  const cluster = await startOnJava({
    ...options,
    secure: async (folder) => {
      made.tls = await makeTlsMaterial(folder);
      return securityOf(made.tls, users);
    },
  });
  const { ca, clientCertificate, clientKey, clientPrincipal } = made.tls as TlsMaterial;
  return {
    ...cluster,
    tls: { ca },
    users,
    mutualTls: {
      brokers: cluster.brokersOf(WITH_CERTIFICATE),
      ca,
      cert: clientCertificate,
      key: clientKey,
      principal: clientPrincipal,
    },
  };
}

type Users = Readonly<Record<KafkaUserName, KafkaUser>>;

const makeUsers = (): Users =>
  Object.fromEntries(
    USER_NAMES.map((username) => [username, { username, password: randomBytes(18).toString('hex') }]),
  ) as Record<KafkaUserName, KafkaUser>;

function securityOf(tls: TlsMaterial, users: Users): ClusterSecurity {
  const all = Object.values(users);
  const plain = all.map(({ username, password }) => `user_${username}="${password}"`).join(' ');
  return {
    listeners: [CLIENTS, WITH_CERTIFICATE, AMONG_BROKERS],
    properties: {
      'sasl.enabled.mechanisms': ['PLAIN', ...SCRAM].join(),
      ...login('plain', `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};`),
      ...login('scram-sha-256', SCRAM_MODULE),
      ...login('scram-sha-512', SCRAM_MODULE),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': tls.keyStore,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': tls.trustStore,
      'listener.name.ssl.ssl.client.auth': 'required',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // ANONYMOUS: the brokers and controllers themselves, who alone know the ports in the clear.
      'super.users': `User:admin;User:ANONYMOUS;${tls.clientPrincipal}`,
      'allow.everyone.if.no.acl.found': false,
    },
    credentials: all.flatMap(({ username, password }) =>
      SCRAM.map((mechanism) => `${mechanism}=[name=${username},password=${password}]`),
    ),
    login: { ssl: { ca: [tls.ca] }, sasl: { mechanism: 'plain', ...users.admin } },
  };
}

const login = (mechanism: string, module: string): Record<string, string> => ({
  [`listener.name.${CLIENTS.toLowerCase()}.${mechanism}.sasl.jaas.config`]: module,
});
