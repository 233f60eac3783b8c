import { DEFAULT_MAX_ACCESS_TTL, Duration, Flag, MaxAccessTtl, NodeEnv, OneOf, Port, Text } from '#platform';
import { KafkaEnvironment } from '#revocation-bus';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/**
 * Every setting of the service, by its name in the environment; those of Kafka are inherited. Parsed once, at start, by `readEnvironment`;
 * `docs/reference/configuration.md` is generated from this class. Durations are milliseconds after parsing.
 */
export class Environment extends KafkaEnvironment {
  @Text('an address or host name', {
    doc: 'Address of the REST door. An address other than loopback needs TLS, here or in front.',
    default: '127.0.0.1',
    max: 255,
  })
  readonly CURFEW_HTTP_HOST: string = '127.0.0.1';

  @Port({ doc: 'Port of the REST door.', default: '7400' })
  readonly CURFEW_HTTP_PORT: number = 7400;

  @Text('an address or host name', {
    doc: 'Address of the gRPC door. An address other than loopback needs TLS, here or in front.',
    default: '127.0.0.1',
    max: 255,
  })
  readonly CURFEW_GRPC_HOST: string = '127.0.0.1';

  @Port({ doc: 'Port of the gRPC door.', default: '7401' })
  readonly CURFEW_GRPC_PORT: number = 7401;

  @Text('a path', {
    doc: 'Certificate chain (PEM) that both doors serve. Set together with `CURFEW_TLS_KEY_FILE`.',
  })
  readonly CURFEW_TLS_CERT_FILE?: string;

  @Text('a path', { doc: 'Private key (PEM) of the certificate.' })
  readonly CURFEW_TLS_KEY_FILE?: string;

  @Flag({
    doc: 'Something in front of the doors ends TLS, so they may listen on another address than loopback without it.',
    default: 'false',
  })
  readonly CURFEW_TLS_TERMINATED: boolean = false;

  @Text('a PostgreSQL connection URI', {
    doc: 'The PostgreSQL to use. Absent: the service starts one of its own in `CURFEW_DATA_DIR`. Required with `NODE_ENV=production`.',
    pattern: /^postgres(ql)?:\/\/\S+$/,
  })
  readonly DATABASE_URL?: string;

  @Text('a KurrentDB connection string', {
    doc: 'The KurrentDB (25.1 or later) that holds the event log. Absent: PostgreSQL holds it. Everything else stays in PostgreSQL.',
    pattern: /^(kurrent|kurrentdb|kdb|esdb)(\+discover)?:\/\/\S+$/,
  })
  readonly KURRENTDB_URL?: string;

  @Text('a path', {
    doc: 'Folder of the embedded default: the database, the master key, the first API key, `endpoints.json`. One instance per folder.',
    default: './.curfew',
  })
  readonly CURFEW_DATA_DIR: string = './.curfew';

  @Text('32 bytes as base64 or base64url', {
    doc: 'Seals every key in the database. Required with `DATABASE_URL`; the embedded default makes one in its data folder. Prefer `CURFEW_MASTER_KEY_FILE`.',
    pattern: /^[A-Za-z0-9+/_-]{43}=?$/,
  })
  readonly CURFEW_MASTER_KEY?: string;

  @Text('a path', { doc: 'File that holds the master key. Not together with `CURFEW_MASTER_KEY`.' })
  readonly CURFEW_MASTER_KEY_FILE?: string;

  @Text('a path', {
    doc: 'Where the first API key goes (mode 0600) when there is none yet. Absent with `DATABASE_URL`: none is made.',
    default: '`first-api-key` in `CURFEW_DATA_DIR` (embedded only)',
  })
  readonly CURFEW_FIRST_API_KEY_FILE?: string;

  @Text('1 to 255 characters', {
    doc: '`iss` of access tokens. Nodes are told to expect it.',
    default: 'curfew',
    max: 255,
  })
  readonly CURFEW_ISSUER: string = 'curfew';

  @Text('1 to 255 characters', {
    doc: '`aud` of access tokens. Nodes are told to expect it.',
    default: 'api',
    max: 255,
  })
  readonly CURFEW_AUDIENCE: string = 'api';

  @Duration({
    doc: 'Life of an access token. At most `CURFEW_MAX_ACCESS_TTL`.',
    default: '300s',
    min: SECOND,
    max: DAY,
  })
  readonly CURFEW_ACCESS_TTL: number = 300 * SECOND;

  @MaxAccessTtl
  readonly CURFEW_MAX_ACCESS_TTL: number = DEFAULT_MAX_ACCESS_TTL;

  @Duration({
    doc: 'A session without a refresh for this long has expired. At most `CURFEW_ABSOLUTE_TIMEOUT`.',
    default: '14d',
    min: SECOND,
    max: 3_650 * DAY,
  })
  readonly CURFEW_IDLE_TIMEOUT: number = 14 * DAY;

  @Duration({
    doc: 'A session never lives longer, used or not.',
    default: '90d',
    min: SECOND,
    max: 3_650 * DAY,
  })
  readonly CURFEW_ABSOLUTE_TIMEOUT: number = 90 * DAY;

  @Duration({
    doc: 'How long after its rotation a refresh token presented again is taken for another tab, not for theft. 0 turns it off.',
    default: '10s',
    min: 0,
    max: 300 * SECOND,
  })
  readonly CURFEW_REUSE_GRACE: number = 10 * SECOND;

  @Duration({
    doc: 'How often the sweeper goes on putting `session.expired` on record, 2,000 open sessions a step. 0 turns it off: expiry holds without it.',
    default: '10s',
    min: 0,
    max: DAY,
  })
  readonly CURFEW_SWEEP_INTERVAL: number = 10 * SECOND;

  @Flag({
    doc: 'The role `projector`: this instance keeps read models and rebuilds them, when no other one does.',
    default: 'true',
  })
  readonly CURFEW_PROJECTOR: boolean = true;

  @Flag({
    doc: 'The role `relay`: this instance publishes to Kafka, when no other one does. Needs `KAFKA_BROKERS`.',
    default: '`true` with `KAFKA_BROKERS`',
  })
  readonly CURFEW_RELAY?: boolean;

  @Flag({
    doc: 'Allows `@` in `sub`. The log keeps `sub` in the clear for ever: it should be a pseudonym.',
    default: 'false',
  })
  readonly CURFEW_ALLOW_EMAIL_SUB: boolean = false;

  @OneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    doc: 'Lowest level that is logged.',
    default: 'info',
  })
  readonly CURFEW_LOG_LEVEL: string = 'info';

  @OneOf(['json', 'pretty'], {
    doc: 'How log lines look.',
    default: '`pretty` on a terminal, else `json`',
  })
  readonly CURFEW_LOG_FORMAT?: 'json' | 'pretty';

  @NodeEnv
  readonly NODE_ENV?: string;
}
