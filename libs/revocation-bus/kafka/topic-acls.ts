/** Who may do what with the topics. */
export interface AclGrant {
  /** As Kafka writes it: `User:relay`. */
  readonly principal: string;
  readonly operations: readonly ('Read' | 'Write' | 'Describe' | 'DescribeConfigs')[];
  readonly resource: 'topic' | 'group';
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
}

export interface AclParties {
  readonly relayPrincipal: string;
  readonly nodePrincipal: string;
  /** Every node's consumer group begins with it. */
  readonly nodeGroupPrefix: string;
  readonly revocationsTopic: string;
  readonly sessionEventsTopic: string;
}

/**
 * Least privilege (G10): the relay alone writes, nodes read the revocations in groups of their own, and whoever is not named may
 * do nothing as long as the brokers deny by default (`allow.everyone.if.no.acl.found=false`). The relay's producer is idempotent:
 * since Kafka 2.8 `Write` on a topic is enough for that.
 */
export function topicAcls(parties: AclParties): readonly AclGrant[] {
  const { relayPrincipal, nodePrincipal, nodeGroupPrefix, revocationsTopic, sessionEventsTopic } = parties;
  const relay = (name: string): AclGrant => ({
    principal: relayPrincipal,
    operations: ['Write', 'Describe', 'DescribeConfigs'],
    resource: 'topic',
    name,
    pattern: 'literal',
  });
  return [
    relay(revocationsTopic),
    relay(sessionEventsTopic),
    {
      principal: nodePrincipal,
      operations: ['Read', 'Describe'],
      resource: 'topic',
      name: revocationsTopic,
      pattern: 'literal',
    },
    {
      principal: nodePrincipal,
      operations: ['Read'],
      resource: 'group',
      name: nodeGroupPrefix,
      pattern: 'prefixed',
    },
  ];
}

/** Principals hold what they like, commas, spaces and quotes too. */
const quoted = (text: string): string =>
  /^[A-Za-z0-9._:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The grants as commands for a shell; each may be run again. */
export const aclLines = (grants: readonly AclGrant[], bootstrapServer: string): readonly string[] =>
  grants.map(({ principal, operations, resource, name, pattern }) =>
    [
      `kafka-acls.sh --bootstrap-server ${quoted(bootstrapServer)} --command-config admin.properties --add`,
      `--allow-principal ${quoted(principal)}`,
      ...operations.map((operation) => `--operation ${operation}`),
      `--${resource} ${quoted(name)}`,
      ...(pattern === 'prefixed' ? ['--resource-pattern-type prefixed'] : []),
    ].join(' '),
  );
