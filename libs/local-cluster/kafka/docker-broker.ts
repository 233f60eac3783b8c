import { randomBytes } from 'node:crypto';
import { KAFKA_VERSION } from './broker-jars.js';
import { clusterProperties } from './broker-properties.js';
import { freePorts } from './free-ports.js';
import type { KafkaCluster } from './kafka-cluster.js';
import { untilReady } from './readiness.js';
import { runCommand, tail } from './run-command.js';

const IMAGE = `apache/kafka:${KAFKA_VERSION}`;
const LOOK_MS = 5_000;
/** A first run pulls the image. */
const RUN_MS = 600_000;

/** A client alone is not enough: the engine must answer. */
export async function dockerAnswers(): Promise<boolean> {
  const { code } = await runCommand('docker', ['version', '--format', '{{.Server.Version}}'], {
    within: LOOK_MS,
  });
  return code === 0;
}

/** One node in the clear, published on loopback only. Its container is removed by `stop`. */
export async function startOnDocker(onLine: (line: string) => void): Promise<KafkaCluster> {
  const [port = 0] = await freePorts(1);
  const broker = `127.0.0.1:${port}`;
  const name = `curfew-kafka-${randomBytes(6).toString('hex')}`;
  onLine(`Apache Kafka ${KAFKA_VERSION}: starting ${IMAGE} in a container`);
  const remove = async (): Promise<void> => void (await docker('rm', '-f', '-v', name));
  const ready = (): Promise<void> =>
    untilReady({ login: { brokers: [broker] }, ids: [1], check: () => stillRuns(name) });
  try {
    await docker('run', '--detach', '--name', name, ...containerOptions(port), IMAGE);
    await ready();
  } catch (error) {
    await remove().catch(() => undefined);
    throw error;
  }
  onLine(`Apache Kafka ${KAFKA_VERSION}: serves on ${broker}`);
  const node = {
    id: 1,
    broker,
    kill: async () => void (await docker('kill', '--signal', 'KILL', name)),
    pause: async () => void (await docker('pause', name)),
    resume: async () => void (await docker('unpause', name)),
    restart: async () => {
      await docker('restart', name);
      await ready();
    },
  };
  return { how: 'docker', version: KAFKA_VERSION, brokers: [broker], nodes: [node], stop: remove };
}

/** The image reads each property from `KAFKA_` and its name in capitals. */
export function containerOptions(port: number): string[] {
  const properties = {
    ...clusterProperties(1),
    'node.id': 1,
    'controller.quorum.voters': '1@127.0.0.1:9093',
    listeners: 'PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9093',
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
  const environment = Object.entries(properties).flatMap(([name, value]) => [
    '--env',
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}=${value}`,
  ]);
  return ['--publish', `127.0.0.1:${port}:9092`, ...environment];
}

async function stillRuns(name: string): Promise<void> {
  const running = await docker('inspect', '--format', '{{.State.Running}}', name);
  if (!running.includes('true'))
    throw new Error(`Kafka's container ended:\n${await docker('logs', '--tail', '20', name)}`);
}

async function docker(...args: string[]): Promise<string> {
  const { code, output } = await runCommand('docker', args, { within: RUN_MS });
  if (code !== 0) throw new Error(`docker ${args[0] ?? ''}: ${tail(output)}`);
  return output;
}
