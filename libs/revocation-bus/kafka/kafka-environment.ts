import { REVOCATIONS_TOPIC, SESSION_EVENTS_TOPIC } from '#contracts';
import { Count, Duration, Flag, OneOf, Text } from '#platform';

/** What Kafka allows, less `.` and `..`. */
const TOPIC = { pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/, max: 249 };
const HOST = '(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)';
const BROKER = `${HOST}:([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])`;

/**
 * Every setting of Kafka, by its name in the environment: the service and `curfew topics` read the same ones. Durations are
 * milliseconds after parsing. What does not go together: {@link kafkaRelations}.
 */
export class KafkaEnvironment {
  @Text('`host:port`, several with commas between', {
    doc: 'Kafka brokers to begin with. Absent: no relay, and revocations reach nodes over Watch alone.',
    pattern: new RegExp(`^${BROKER}( *, *${BROKER})*$`),
  })
  readonly KAFKA_BROKERS?: string;

  @Flag({ doc: 'Speak TLS to the brokers.', default: 'false' })
  readonly KAFKA_TLS: boolean = false;

  @Text('a path', {
    doc: 'Certificates (PEM) of the authorities that the brokers are checked against.',
    default: 'those that Node.js knows',
  })
  readonly KAFKA_TLS_CA_FILE?: string;

  @Text('a path', {
    doc: 'Client certificate chain (PEM), where the brokers ask for one. Set together with `KAFKA_TLS_KEY_FILE`.',
  })
  readonly KAFKA_TLS_CERT_FILE?: string;

  @Text('a path', { doc: 'Private key (PEM) of the client certificate.' })
  readonly KAFKA_TLS_KEY_FILE?: string;

  @OneOf(['plain', 'scram-sha-256', 'scram-sha-512'], {
    doc: 'How to authenticate. `plain` needs `KAFKA_TLS=true`: it sends the password as it is.',
    default: 'not at all, or by the client certificate',
  })
  readonly KAFKA_SASL_MECHANISM?: 'plain' | 'scram-sha-256' | 'scram-sha-512';

  @Text('1 to 255 characters', {
    doc: "The relay's principal. Set together with `KAFKA_SASL_MECHANISM`.",
    max: 255,
  })
  readonly KAFKA_SASL_USERNAME?: string;

  @Text('1 to 4096 characters', { doc: 'Its password. Prefer `KAFKA_SASL_PASSWORD_FILE`.' })
  readonly KAFKA_SASL_PASSWORD?: string;

  @Text('a path', { doc: 'File that holds the password. Not together with `KAFKA_SASL_PASSWORD`.' })
  readonly KAFKA_SASL_PASSWORD_FILE?: string;

  @Text('a topic name', {
    doc: 'Topic of revocations and heartbeats. Nodes are told to read it.',
    default: REVOCATIONS_TOPIC,
    ...TOPIC,
  })
  readonly CURFEW_KAFKA_REVOCATIONS_TOPIC: string = REVOCATIONS_TOPIC;

  @Text('a topic name', {
    doc: 'Topic of lifecycle events, without secrets and without personal data in the clear.',
    default: SESSION_EVENTS_TOPIC,
    ...TOPIC,
  })
  readonly CURFEW_KAFKA_SESSION_EVENTS_TOPIC: string = SESSION_EVENTS_TOPIC;

  @Count({
    doc: 'Lanes (partitions) that `curfew topics create` makes. When it is set, the topic of revocations must have as many.',
    default: '`4` for `create`, any number otherwise',
    min: 1,
    max: 64,
  })
  readonly CURFEW_KAFKA_LANES?: number;

  @Count({
    doc: 'Copies that the topics must have at least.',
    default: '`3` with `NODE_ENV=production`, else `1`',
    min: 1,
    max: 16,
  })
  readonly CURFEW_KAFKA_REPLICATION?: number;

  @Count({
    doc: 'What `min.insync.replicas` of the topics must be at least. At most `CURFEW_KAFKA_REPLICATION`.',
    default: '`2` with `NODE_ENV=production`, else `1`',
    min: 1,
    max: 16,
  })
  readonly CURFEW_KAFKA_MIN_ISR?: number;

  @Duration({
    doc: 'How often the relay puts a heartbeat on every lane. A node over Kafka renews its lease with it.',
    default: '200ms',
    min: 20,
    max: 1_000,
  })
  readonly CURFEW_KAFKA_HEARTBEAT: number = 200;
}

type Problem = readonly [fine: boolean, problem: string];

function saslProblems(env: KafkaEnvironment): Problem[] {
  const {
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_SASL_PASSWORD_FILE: file,
  } = env;
  const given = [username, password, file].some((value) => value !== undefined);
  return [
    [mechanism !== undefined || !given, 'KAFKA_SASL_MECHANISM: is required with a user name or a password'],
    [
      mechanism === undefined || username !== undefined,
      'KAFKA_SASL_USERNAME: is required with KAFKA_SASL_MECHANISM',
    ],
    [
      mechanism === undefined || password !== undefined || file !== undefined,
      'KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE: is required with KAFKA_SASL_MECHANISM',
    ],
    [
      password === undefined || file === undefined,
      'KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE: set one of them',
    ],
    [
      mechanism !== 'plain' || env.KAFKA_TLS,
      'KAFKA_SASL_MECHANISM: plain sends the password as it is, so it needs KAFKA_TLS=true',
    ],
  ];
}

function tlsProblems(env: KafkaEnvironment): Problem[] {
  const files = ['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'] as const;
  return [
    [
      (env.KAFKA_TLS_CERT_FILE === undefined) === (env.KAFKA_TLS_KEY_FILE === undefined),
      'KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE: set both or neither',
    ],
    ...files.map((name): Problem => [
      env.KAFKA_TLS || env[name] === undefined,
      `${name}: needs KAFKA_TLS=true`,
    ]),
  ];
}

/** Faults that lie in how the settings of Kafka go together, each named by its setting. */
export function kafkaRelations(env: KafkaEnvironment & { readonly NODE_ENV?: string }): string[] {
  const alone = ['KAFKA_TLS', 'KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME'] as const;
  const { replication, minIsr } = durability(env);
  const problems: Problem[] = [
    ...alone.map((name): Problem => [
      env.KAFKA_BROKERS !== undefined || env[name] === undefined || env[name] === false,
      `${name}: needs KAFKA_BROKERS`,
    ]),
    ...tlsProblems(env),
    ...saslProblems(env),
    [
      env.CURFEW_KAFKA_SESSION_EVENTS_TOPIC !== env.CURFEW_KAFKA_REVOCATIONS_TOPIC,
      'CURFEW_KAFKA_SESSION_EVENTS_TOPIC: must be another topic than CURFEW_KAFKA_REVOCATIONS_TOPIC',
    ],
    [minIsr <= replication, 'CURFEW_KAFKA_MIN_ISR: is above CURFEW_KAFKA_REPLICATION'],
  ];
  return problems.filter(([fine]) => !fine).map(([, problem]) => problem);
}

/** Copies and in-sync copies that the topics must have: the default outlives the loss of a broker in production. */
export function durability(env: KafkaEnvironment & { readonly NODE_ENV?: string }): {
  readonly replication: number;
  readonly minIsr: number;
} {
  const production = env.NODE_ENV === 'production';
  return {
    replication: env.CURFEW_KAFKA_REPLICATION ?? (production ? 3 : 1),
    minIsr: env.CURFEW_KAFKA_MIN_ISR ?? (production ? 2 : 1),
  };
}
