import { nearestName, readSettings, type Variables } from '#platform';
import { kafkaRelations } from '#revocation-bus';
import { Environment } from './environment.js';

/** Settings of the CLI and of nodes. They may stand in the same shell, so the service lets them be. */
const CLIENT_SETTINGS = ['CURFEW_URL', 'CURFEW_API_KEY', 'CURFEW_API_KEY_FILE'];

/** Whether an address is reachable from this machine only. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

function relations(env: Environment): string[] {
  const problems: string[] = [];
  const unless = (fine: boolean, problem: string) => {
    if (!fine) problems.push(problem);
  };
  const tls = env.CURFEW_TLS_CERT_FILE !== undefined && env.CURFEW_TLS_KEY_FILE !== undefined;
  unless(
    (env.CURFEW_TLS_CERT_FILE === undefined) === (env.CURFEW_TLS_KEY_FILE === undefined),
    'CURFEW_TLS_CERT_FILE and CURFEW_TLS_KEY_FILE: set both or neither',
  );
  for (const name of ['CURFEW_HTTP_HOST', 'CURFEW_GRPC_HOST'] as const)
    unless(
      isLoopback(env[name]) || tls || env.CURFEW_TLS_TERMINATED,
      `${name}: an address other than loopback needs CURFEW_TLS_CERT_FILE and CURFEW_TLS_KEY_FILE, or CURFEW_TLS_TERMINATED=true when something in front ends TLS`,
    );
  unless(
    env.CURFEW_ACCESS_TTL <= env.CURFEW_MAX_ACCESS_TTL,
    'CURFEW_ACCESS_TTL: is above CURFEW_MAX_ACCESS_TTL',
  );
  unless(
    env.CURFEW_IDLE_TIMEOUT <= env.CURFEW_ABSOLUTE_TIMEOUT,
    'CURFEW_IDLE_TIMEOUT: is above CURFEW_ABSOLUTE_TIMEOUT',
  );
  unless(
    env.CURFEW_MASTER_KEY === undefined || env.CURFEW_MASTER_KEY_FILE === undefined,
    'CURFEW_MASTER_KEY and CURFEW_MASTER_KEY_FILE: set one of them',
  );
  unless(
    env.NODE_ENV !== 'production' || env.DATABASE_URL !== undefined,
    'DATABASE_URL: is required with NODE_ENV=production',
  );
  unless(
    env.DATABASE_URL === undefined ||
      env.CURFEW_MASTER_KEY !== undefined ||
      env.CURFEW_MASTER_KEY_FILE !== undefined,
    'CURFEW_MASTER_KEY or CURFEW_MASTER_KEY_FILE: is required with DATABASE_URL',
  );
  unless(env.CURFEW_RELAY !== true || env.KAFKA_BROKERS !== undefined, 'CURFEW_RELAY: needs KAFKA_BROKERS');
  return [...problems, ...kafkaRelations(env)];
}

function unknownNames(names: readonly string[], known: ReadonlySet<string>): string[] {
  return names.flatMap((name) => {
    if (CLIENT_SETTINGS.includes(name)) return [];
    const nearest = nearestName(name, known);
    // Other programs have settings that begin with KAFKA_, so only what looks like a slip is refused.
    if (!name.startsWith('CURFEW_') && !(name.startsWith('KAFKA_') && nearest)) return [];
    return [`${name}: is not a setting${nearest ? `; did you mean ${nearest}?` : ''}`];
  });
}

/**
 * Parses and checks the environment. A setting that is empty counts as absent.
 * @throws CurfewError ERR_CONFIG whose detail names every setting at fault, and never a value.
 */
export const readEnvironment = (variables: Variables): Environment =>
  readSettings(Environment, variables, { unknown: unknownNames, relations });
