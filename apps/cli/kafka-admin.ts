import type { Admin } from 'kafkajs';
import { isCurfewError } from '#contracts';
import { DEFAULT_MAX_ACCESS_TTL, MaxAccessTtl, NodeEnv, readSettings } from '#platform';
import {
  KafkaEnvironment,
  kafkaRelations,
  openKafka,
  readKafkaConnection,
  wantedTopics,
  type KafkaConnection,
} from '#revocation-bus';
import { CliError } from './cli-error.js';

/** What the service's settings say of the topics, read from the same names. */
class TopicsEnvironment extends KafkaEnvironment {
  @MaxAccessTtl
  readonly CURFEW_MAX_ACCESS_TTL: number = DEFAULT_MAX_ACCESS_TTL;

  @NodeEnv
  readonly NODE_ENV?: string;
}

export interface TopicsPlan {
  readonly connection: KafkaConnection;
  readonly wanted: ReturnType<typeof wantedTopics>;
}

/** @throws CliError that names the settings at fault */
export async function planTopics(env: Readonly<Record<string, string | undefined>>): Promise<TopicsPlan> {
  try {
    const settings = readSettings(TopicsEnvironment, env, { relations: kafkaRelations });
    const connection = await readKafkaConnection(settings, 'curfew-cli');
    if (connection === undefined)
      throw new CliError('usage', 'KAFKA_BROKERS: set it, and what else the brokers ask for (KAFKA_…)');
    return { connection, wanted: wantedTopics(settings, settings.CURFEW_MAX_ACCESS_TTL) };
  } catch (error) {
    throw isCurfewError(error, 'ERR_CONFIG') ? new CliError('usage', error.detail ?? error.message) : error;
  }
}

/** Names of kafkajs' errors for brokers that give no answer; the others are answers. */
const SILENCE = /Connection|RequestTimeout|BrokerNotFound|NumberOfRetriesExceeded/;

function explain(error: unknown, brokers: string): unknown {
  if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) return error;
  const { cause } = error as { cause?: unknown };
  const reason = cause instanceof Error && cause.name.startsWith('KafkaJS') ? cause : error;
  const errors = (reason as { errors?: readonly Error[] }).errors ?? [reason];
  const message = errors.map((each) => each.message).join('\n');
  return SILENCE.test(reason.name)
    ? new CliError('unreachable', `no answer from Kafka at ${brokers}: ${message}`)
    : new CliError('refused', `Kafka refuses: ${message}`);
}

/** Connects, lets `use` work, and disconnects. @throws CliError for what the brokers refuse, or when none answers */
export async function withKafkaAdmin<T>(
  connection: KafkaConnection,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  // Whatever went wrong ends up in the error.
  const admin = openKafka(connection, () => undefined).admin();
  try {
    await admin.connect();
    return await use(admin);
  } catch (error) {
    throw explain(error, connection.brokers.join());
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
