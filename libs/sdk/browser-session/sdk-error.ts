import { CurfewSdkError } from '../core/error.js';

/**
 * Told by shape, not by class: an application may hold the CommonJS and the ESM build of this package at once, and a node made
 * by one is used by the other.
 */
export function isSdkError(error: unknown): error is CurfewSdkError {
  return (
    error instanceof CurfewSdkError ||
    (error instanceof Error && error.name === 'CurfewSdkError' && 'code' in error && 'status' in error)
  );
}

export const errorCode = (error: unknown): CurfewSdkError['code'] | undefined =>
  isSdkError(error) ? error.code : undefined;

/** The same call may succeed later; nothing is known about the user's token. */
export const isUnavailable = (error: unknown): error is CurfewSdkError =>
  isSdkError(error) && error.status === 503;

/**
 * An error of a service call as the browser may see it. What is wrong with this application's own API key is not the user's
 * doing: a 401 for it would sign people out.
 */
export function asSeenByUser(error: unknown): unknown {
  const code = errorCode(error);
  if (code !== 'ERR_UNAUTHENTICATED' && code !== 'ERR_FORBIDDEN') return error;
  return new CurfewSdkError('ERR_INTERNAL', 500, 'Something went wrong inside', {
    detail: `The session service refused a call of this application (${code})`,
    cause: error,
  });
}

export const tokenRefused = (): CurfewSdkError =>
  new CurfewSdkError('ERR_TOKEN_REFUSED', 401, 'The token is refused');
