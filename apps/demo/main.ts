import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  built,
  Child,
  createApiKey,
  createTopics,
  findKafka,
  startKafka,
  startService,
  type KafkaTopics,
  type Service,
} from '#local-cluster';
import { createCurfew, type Curfew } from '#sdk';
import type { ApiNode, NodeSettings } from './node-settings.js';
import { humanReporter, jsonReporter, type Reporter } from './report.js';
import { play } from './story.js';

const REUSE_GRACE_S = 1;
const AUDIENCE = 'demo';
const ISSUER = 'curfew-demo';
const STEPS = 9;

const { values: flags } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    kafka: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const USAGE = `npm run demo -- [--nodes N] [--kafka] [--json] [--keep]
  --nodes N   API nodes, 1 to 20 (3)
  --kafka     revocations reach the nodes through a real Kafka broker: KAFKA_BROKERS, Docker, or Java and Maven
  --json      one JSON document on stdout: the steps and their milliseconds
  --keep      leave everything running and print URLs and curl lines to play with`;

/** Everything that was started, stopped in reverse order. */
const cleanups: (() => Promise<unknown>)[] = [];
let cleaning: Promise<void> | undefined;
function cleanUp(): Promise<void> {
  cleaning ??= (async () => {
    for (let undo = cleanups.pop(); undo; undo = cleanups.pop()) await undo().catch(() => undefined);
  })();
  return cleaning;
}

/** A real broker with both topics. */
async function startBroker(reporter: Reporter): Promise<KafkaTopics> {
  const found = await findKafka();
  if ('missing' in found) throw new Error(`--kafka needs a broker: ${found.missing}`);
  const cluster = await startKafka({ onLine: (line) => reporter.progress(`kafka: ${line}`) });
  cleanups.push(() => cluster.stop());
  reporter.progress(`kafka ${cluster.version} (${cluster.how}): ${cluster.brokers.join()}`);
  const topics = await createTopics(cluster.brokers);
  reporter.progress(`made the topics: curfew topics create → ${topics.revocationsTopic}`);
  return topics;
}

async function startEverything(count: number, reporter: Reporter) {
  const topics = flags.kafka ? await startBroker(reporter) : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'curfew-demo-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  reporter.progress('starting the service on its embedded default (a real PostgreSQL in a temporary folder)');
  const service = await startService(join(folder, 'data'), {
    env: {
      CURFEW_ISSUER: ISSUER,
      CURFEW_AUDIENCE: AUDIENCE,
      CURFEW_REUSE_GRACE: String(REUSE_GRACE_S),
      ...topics?.env,
    },
    onLine: (line) => reporter.progress(`service: ${line}`),
  });
  cleanups.push(() => service.child.stop());
  reporter.progress(`service: REST ${service.http}, gRPC ${service.grpc}`);
  // Keys with no more rights than each part needs.
  const nodeKey = await createApiKey(service, {
    name: 'demo API nodes',
    scopes: ['revocations:watch', 'tokens:introspect'],
  });
  reporter.progress(`starting ${count} API nodes, a process each`);
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      startNode({ ...settingsOf(service, `node-${index + 1}`, nodeKey), ...kafkaOf(topics) }, reporter),
    ),
  );
  for (const node of nodes) reporter.progress(`${node.name}: ${node.url}`);
  return { service, nodes };
}

const settingsOf = (service: Service, name: string, key: string): NodeSettings => ({
  name,
  service: service.http,
  watch: service.grpc,
  apiKey: key,
  issuer: ISSUER,
  audience: AUDIENCE,
});

const kafkaOf = (topics: KafkaTopics | undefined): Pick<NodeSettings, 'kafka'> =>
  topics ? { kafka: { brokers: topics.brokers, topic: topics.revocationsTopic } } : {};

async function startNode(settings: NodeSettings, reporter: Reporter): Promise<ApiNode> {
  const child = await Child.start<ApiNode>({
    args: [built('apps/demo/api-node.js')],
    env: { NODE_SETTINGS: JSON.stringify(settings) },
    onLine: (line) => reporter.progress(`${settings.name}: ${line}`),
  });
  cleanups.push(() => child.stop());
  return child.ready;
}

function loginService(service: Service, key: string): Curfew {
  const { name, ...settings } = settingsOf(service, 'login-service', key);
  const curfew = createCurfew({ ...settings, tenant: 'default', nodeId: name });
  cleanups.push(() => curfew.close());
  return curfew;
}

function invite(service: Service, nodes: readonly ApiNode[], key: string): void {
  console.log(`
  Everything is left running; Ctrl-C ends it. To play with:

    export KEY=${key}
    curl -s ${service.http}/v1/sessions -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"sub":"user-42"}'
    curl -s ${nodes[0]?.url ?? ''}/whoami -H 'Authorization: Bearer <accessToken>'
    curl -s ${service.http}/v1/sessions/refresh -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"refreshToken":"<refreshToken>"}'
    curl -s -X DELETE ${service.http}/v1/sessions/<sid> -H "Authorization: Bearer $KEY"
    curl -s ${service.http}/v1/users/user-42/sessions?includeEnded=true -H "Authorization: Bearer $KEY"

      curl -s ${service.http}/openapi.json -H "Authorization: Bearer $KEY"      # the whole API`);
}

async function main(): Promise<number> {
  const count = Number(flags.nodes);
  if (flags.help || !Number.isInteger(count) || count < 1 || count > 20) {
    console.log(USAGE);
    return flags.help ? 0 : 2;
  }
  const reporter = flags.json ? jsonReporter() : humanReporter();
  const { service, nodes } = await startEverything(count, reporter);
  const key = await createApiKey(service, {
    name: 'demo login service',
    scopes: [
      'sessions:issue',
      'sessions:read',
      'sessions:revoke',
      'personal-data:read',
      'audit:read',
      'revocations:watch',
      'tokens:introspect',
    ],
  });
  const steps = await play({
    sessions: loginService(service, key).sessions,
    nodes,
    user: 'user-42',
    reuseGraceMs: REUSE_GRACE_S * 1_000,
    onStep: (step) => reporter.step(step),
  });
  reporter.summary(steps, {
    nodes: nodes.length,
    bus: flags.kafka ? 'kafka' : 'watch',
    store: 'embedded PostgreSQL',
  });
  if (flags.keep) {
    invite(service, nodes, key);
    await new Promise(() => undefined);
  }
  return steps.length === STEPS && steps.every(({ ok }) => ok) ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void cleanUp().then(() => process.exit(signal === 'SIGINT' ? 130 : 143)));
}
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
