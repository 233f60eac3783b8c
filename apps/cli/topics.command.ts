import type { Command } from 'commander';
import type { TopicFinding } from '#revocation-bus';
import { CliError } from './cli-error.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';

interface CreateOptions extends GlobalOptions {
  readonly alter?: boolean;
  readonly relayPrincipal: string;
  readonly nodePrincipal: string;
  readonly nodeGroupPrefix: string;
}

/** Kafka's client is loaded by these commands alone: the others start faster without it. */
const load = async () => ({ ...(await import('./kafka-admin.js')), ...(await import('#revocation-bus')) });

const principal = (name: string): string => (name.includes(':') ? name : `User:${name}`);

async function refuse(findings: readonly TopicFinding[]): Promise<void> {
  if (findings.length === 0) return;
  const { topicsRefused } = await load();
  const error = topicsRefused(findings);
  throw new CliError('refused', `${error.code}: ${error.entry.title}\n${error.detail ?? ''}`);
}

async function check(options: GlobalOptions, surroundings: Surroundings): Promise<void> {
  const { planTopics, withKafkaAdmin, checkTopics } = await load();
  const { connection, wanted } = await planTopics(surroundings.env);
  const findings = await withKafkaAdmin(connection, (admin) => checkTopics(admin, wanted));
  const topics = wanted.map(({ name }) => name);
  if (options.json || findings.length === 0)
    show(surroundings, options, { topics, findings }, () =>
      topics.map((name) => `${name} is right`).join('\n'),
    );
  await refuse(findings);
}

async function create(options: CreateOptions, surroundings: Surroundings): Promise<void> {
  const { planTopics, withKafkaAdmin, prepareTopics, topicAcls, aclLines } = await load();
  const { connection, wanted } = await planTopics(surroundings.env);
  const [revocations, sessionEvents] = wanted;
  const { created, altered, findings } = await withKafkaAdmin(connection, async (admin) => {
    const { brokers } = await admin.describeCluster();
    const { replication } = revocations;
    if (brokers.length < replication)
      throw new CliError(
        'usage',
        `CURFEW_KAFKA_REPLICATION: ${replication} copies need as many brokers, and there are ${brokers.length}`,
      );
    return prepareTopics(admin, wanted, { alter: options.alter === true });
  });
  const acls = aclLines(
    topicAcls({
      relayPrincipal: principal(options.relayPrincipal),
      nodePrincipal: principal(options.nodePrincipal),
      nodeGroupPrefix: options.nodeGroupPrefix,
      revocationsTopic: revocations.name,
      sessionEventsTopic: sessionEvents.name,
    }),
    connection.brokers.join(),
  );
  const outcome = ({ name, partitions, replication }: (typeof wanted)[number]): string => {
    if (created.includes(name)) return `created ${name}: ${partitions} lanes, copies: ${replication}`;
    if (altered.includes(name)) return `altered ${name}`;
    return `${name} was there`;
  };
  show(surroundings, options, { created, altered, findings, acls }, () =>
    [
      ...wanted.map(outcome),
      '',
      'Only the relay may write, and nodes read in groups of their own. With an authorizer that denies by default:',
      ...acls,
    ].join('\n'),
  );
  await refuse(findings);
}

/** Adds `topics create | check` to the program. */
export function addTopicCommands(program: Command, surroundings: Surroundings): void {
  const topics = program
    .command('topics')
    .description(
      "create and check Kafka's topics; reads KAFKA_BROKERS and the service's other settings of Kafka",
    );

  topics
    .command('create')
    .description('create both topics, check those that are there, print the ACLs; may be run again')
    .option('--alter', 'mend configurations that are wrong on topics that are there')
    .option('--relay-principal <principal>', "of the service's relay", 'User:curfew-relay')
    .option('--node-principal <principal>', 'of the API nodes', 'User:curfew-node')
    .option('--node-group-prefix <prefix>', 'of the consumer groups of nodes', 'curfew-')
    .action(async (_options: unknown, command: Command) => {
      await create(command.optsWithGlobals<CreateOptions>(), surroundings);
    });

  topics
    .command('check')
    .description('compare both topics with what they must be; changes nothing')
    .action(async (_options: unknown, command: Command) => {
      await check(command.optsWithGlobals<GlobalOptions>(), surroundings);
    });
}
