import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { REVOCATIONS_TOPIC, SESSION_EVENTS_TOPIC } from '#contracts';
import { built } from './service.js';

const run = promisify(execFile);

/** Where a node finds the revocation stream. */
export interface KafkaTopics {
  readonly brokers: readonly string[];
  readonly revocationsTopic: string;
  /** Settings of a service that publishes to them. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Makes both topics as an operator would, by `curfew topics create`. Needs the built project. Cost: about a second.
 * @param own names that nobody else uses; otherwise the usual ones
 */
export async function createTopics(
  brokers: readonly string[],
  { own = true, env: more = {} }: { own?: boolean; env?: Readonly<Record<string, string>> } = {},
): Promise<KafkaTopics> {
  const suffix = own ? `-${randomBytes(4).toString('hex')}` : '';
  const revocationsTopic = `${REVOCATIONS_TOPIC}${suffix}`;
  const env = {
    KAFKA_BROKERS: brokers.join(),
    CURFEW_KAFKA_REVOCATIONS_TOPIC: revocationsTopic,
    CURFEW_KAFKA_SESSION_EVENTS_TOPIC: `${SESSION_EVENTS_TOPIC}${suffix}`,
    ...more,
  };
  await run(process.execPath, [built('apps/cli/main.js'), 'topics', 'create'], {
    env: { ...process.env, ...env },
  });
  return { brokers, revocationsTopic, env };
}
