import type { ErrorCode } from '#contracts';

export interface CurfewSdkErrorDetails {
  /** Seconds after which a retry may succeed. */
  readonly retryAfter?: number | undefined;
  /** The option or the field of the request that is to blame. */
  readonly field?: string | undefined;
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Every error of the SDK. `code` is one of the catalogue (docs/reference/errors.md); `status` is the HTTP status that goes
 * with it, 0 where there is none. It never holds a token, a key or personal data.
 */
export class CurfewSdkError extends Error {
  override readonly name = 'CurfewSdkError';
  declare readonly retryAfter?: number | undefined;
  declare readonly field?: string | undefined;
  declare readonly detail?: string | undefined;

  constructor(
    readonly code: ErrorCode,
    readonly status: number,
    title: string,
    { retryAfter, field, detail, cause }: CurfewSdkErrorDetails = {},
  ) {
    super(detail ? `${title}: ${detail}` : title, cause ? { cause } : undefined);
    Object.assign(this, { retryAfter, field, detail });
  }
}

/** The one answer to every token that is not accepted: it does not say why. */
export const refused = (): CurfewSdkError =>
  new CurfewSdkError('ERR_TOKEN_REFUSED', 401, 'The token is refused');

// Unless the service says when: 1 to 3 s, so that callers who were refused together do not come back together.
const unable =
  (code: ErrorCode, title: string) =>
  (detail: string, cause?: unknown, retryAfter = Math.ceil(Math.random() * 3)): CurfewSdkError =>
    new CurfewSdkError(code, 503, title, { detail, retryAfter, cause });

/** The node may not decide from its memory, and nobody else decided for it. */
export const stale = unable('ERR_STALE', 'The node has no fresh lease');

/** No answer, or none that is the service's. */
export const unavailable = unable('ERR_UNAVAILABLE', 'The service cannot be reached');
