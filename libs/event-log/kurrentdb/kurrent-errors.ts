import { CurfewError } from '#contracts';

/** The store did not answer in time. Whether it did what it was asked to is unknown. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Types of the client's errors after which the outcome is unknown, or the store is not the one to ask. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'timeout',
  'deadline-exceeded',
  'unavailable',
  'cancelled',
  'unknown',
  'not-leader',
  'access-denied',
]);

interface ClientError {
  readonly type?: unknown;
  readonly code?: unknown;
}

/** An error of the client by its `type`; undefined for other errors. */
export function clientErrorType(error: unknown): string | undefined {
  const type = error instanceof Error ? (error as ClientError).type : undefined;
  return typeof type === 'string' ? type : undefined;
}

/** Maps what the client throws. A defect of the caller stays as it is. */
export function fromClient(error: unknown): unknown {
  const type = clientErrorType(error);
  if (type === 'unsupported') {
    return new CurfewError('ERR_LOG_STORE_REFUSED', {
      detail: 'KurrentDB 25.1 or later is needed: appends to several streams must be atomic',
      cause: error,
    });
  }
  // Errors of gRPC that the client passes on as they are have a code and no type.
  const bare = type === undefined && typeof (error as ClientError | undefined)?.code === 'number';
  const unavailable = error instanceof NoAnswer || bare || (type !== undefined && UNAVAILABLE.has(type));
  return unavailable ? new CurfewError('ERR_UNAVAILABLE', { cause: error }) : error;
}
