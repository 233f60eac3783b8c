import { readFile } from 'node:fs/promises';
import { Kafka, logLevel, type LogEntry, type SASLOptions } from 'kafkajs';
import { CurfewError } from '#contracts';
import type { KafkaEnvironment } from './kafka-environment.js';

/** How to reach the brokers; made by {@link readKafkaConnection}. Holds secrets: never log it. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  /** Tells this program from others in the brokers' logs and quotas. */
  readonly clientId: string;
  /** PEM texts. Present: TLS, with the brokers' certificates and host names checked. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}

/** Takes what the client has to say. `error` is kafkajs' word for one failed attempt: it goes on trying. */
export type KafkaLog = (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void;

/** On top of what the caller waits: no attempt may outlast the staleness bound. */
const ATTEMPT_MS = 2_000;

async function read(
  env: KafkaEnvironment,
  name: `KAFKA_${string}_FILE` & keyof KafkaEnvironment,
): Promise<string | undefined> {
  const file = env[name];
  if (file === undefined) return undefined;
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CurfewError('ERR_CONFIG', { detail: `${name}: cannot be read`, cause });
  });
}

async function readTls(env: KafkaEnvironment): Promise<KafkaConnection['tls']> {
  if (!env.KAFKA_TLS) return undefined;
  const [ca, cert, key] = await Promise.all([
    read(env, 'KAFKA_TLS_CA_FILE'),
    read(env, 'KAFKA_TLS_CERT_FILE'),
    read(env, 'KAFKA_TLS_KEY_FILE'),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

async function readSasl(env: KafkaEnvironment): Promise<KafkaConnection['sasl']> {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username } = env;
  if (mechanism === undefined || username === undefined) return undefined;
  // Editors end a file with a line break; no password does.
  const password =
    env.KAFKA_SASL_PASSWORD ?? (await read(env, 'KAFKA_SASL_PASSWORD_FILE'))?.replace(/\r?\n$/, '');
  if (!password)
    throw new CurfewError('ERR_CONFIG', { detail: 'KAFKA_SASL_PASSWORD_FILE: holds no password' });
  return { mechanism, username, password };
}

/**
 * Takes the connection out of checked settings and reads the files that they name.
 * @returns undefined without `KAFKA_BROKERS`
 * @throws CurfewError ERR_CONFIG that names the setting whose file cannot be read
 */
export async function readKafkaConnection(
  env: KafkaEnvironment,
  clientId: string,
): Promise<KafkaConnection | undefined> {
  if (env.KAFKA_BROKERS === undefined) return undefined;
  const [tls, sasl] = await Promise.all([readTls(env), readSasl(env)]);
  return {
    brokers: env.KAFKA_BROKERS.split(',').map((broker) => broker.trim()),
    clientId,
    ...(tls ? { tls } : {}),
    ...(sasl ? { sasl } : {}),
  };
}

const LEVELS: Readonly<Record<number, Parameters<KafkaLog>[0]>> = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
  [logLevel.DEBUG]: 'debug',
};

/** Of kafkajs' fields only these go on: others hold whole requests. */
function lineOf({ namespace, log }: LogEntry): string {
  const { broker, groupId, error } = log as { broker?: unknown; groupId?: unknown; error?: unknown };
  const details = [broker, groupId, error].filter(
    (value) => typeof value === 'string' && value !== log.message,
  );
  return [namespace, [log.message, ...details].join(', ')].filter(Boolean).join(': ');
}

/**
 * A kafkajs client. Nothing connects before a producer, a consumer or an admin of it does. Connecting, authenticating and
 * each request give up after 2 s; an operation is tried four times, within about 1 s of pauses, and then rejects: whoever
 * uses it sets its own deadline around that and tries again for as long as it likes.
 * @param log gets every line of the client; it says the same thing often while a broker is away
 */
export function openKafka({ brokers, clientId, tls, sasl }: KafkaConnection, log: KafkaLog): Kafka {
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ...(tls ? { ssl: { ...tls } } : {}),
    ...(sasl ? { sasl: { ...sasl } as SASLOptions } : {}),
    connectionTimeout: ATTEMPT_MS,
    authenticationTimeout: ATTEMPT_MS,
    requestTimeout: ATTEMPT_MS,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 500, multiplier: 2, factor: 0.2, retries: 3 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      log(LEVELS[entry.level] ?? 'debug', lineOf(entry));
    },
  });
}
