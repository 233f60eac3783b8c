import kafkajs, { type AclEntry } from 'kafkajs';

/** One printed line as what kafkajs takes: the test applies what the operator reads. */
export function aclEntriesOf(line: string): AclEntry[] {
  const all = (option: string) =>
    [...line.matchAll(new RegExp(`--${option} (?:'([^']*)'|(\\S+))`, 'g'))].map(
      ([, quoted, plain]) => quoted ?? plain!,
    );
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
  const operations: Record<string, number> = {
    Read: AclOperationTypes.READ,
    Write: AclOperationTypes.WRITE,
    Describe: AclOperationTypes.DESCRIBE,
    DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  };
  const [topic] = all('topic');
  const [group] = all('group');
  return all('operation').map((operation) => ({
    resourceType: topic === undefined ? AclResourceTypes.GROUP : AclResourceTypes.TOPIC,
    resourceName: topic ?? group!,
    resourcePatternType: line.includes('--resource-pattern-type prefixed')
      ? ResourcePatternTypes.PREFIXED
      : ResourcePatternTypes.LITERAL,
    principal: all('allow-principal')[0]!,
    host: '*',
    operation: operations[operation]!,
    permissionType: AclPermissionTypes.ALLOW,
  }));
}
