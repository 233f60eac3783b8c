import pg from 'pg';
import { CurfewError } from '#contracts';

/** Of Node and the resolver: the server cannot be reached. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** Of node-postgres, which gives these no code. */
const DRIVER_MESSAGE =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end)/;

/**
 * SQLSTATEs that say "not now" and not "never": 08 connection, 53 resources, 57 operator intervention and time-outs,
 * 58 system errors, 25006 a server that turned read-only, 25P03/25P04 time-outs, 40 serialization and deadlock, 55P03 lock time-out.
 */
const TRANSIENT_SQLSTATE = /^(08|53|57|58|40)|^(25006|25P03|25P04|55P03)$/;

/** Classes after which the session is gone. */
const SESSION_LOST_SQLSTATE = /^(08|57P0[1-5])|^25P0[34]$/;

const codeOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
};

/** Whether the connection on which `error` came can still be used: any answer of the server that does not end the session. */
export function connectionSurvives(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !SESSION_LOST_SQLSTATE.test(error.code ?? '');
}

/** Whether the server could not be reached, did not answer in time or cannot take the statement at present. */
export function isConnectionFailure(error: unknown): boolean {
  const code = codeOf(error);
  if (error instanceof pg.DatabaseError) return TRANSIENT_SQLSTATE.test(code ?? '');
  if (code !== undefined) return NETWORK_CODES.has(code);
  return error instanceof Error && DRIVER_MESSAGE.test(error.message);
}

/** ERR_UNAVAILABLE for failures of the connection; every other error as it is. */
export function unavailableIfConnection(error: unknown): unknown {
  return isConnectionFailure(error) ? new CurfewError('ERR_UNAVAILABLE', { cause: error }) : error;
}
