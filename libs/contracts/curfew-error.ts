import { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from './error-catalogue.js';

export interface ErrorDetails {
  /** What exactly, for the caller. Never a secret, a token or personal data. */
  readonly detail?: string;
  /** The field that is to blame, as a path (`device.userAgent`). */
  readonly field?: string;
  /** Seconds, for the `Retry-After` header. 1 for retryable errors unless set. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/**
 * Every error that leaves a use case. Doors turn it into problem+json or a gRPC status with the catalogue's entry for
 * `code`; anything else that is thrown is a defect and becomes `ERR_INTERNAL`.
 */
export class CurfewError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'CurfewError';
  readonly detail: string | undefined;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    readonly code: C,
    details: ErrorDetails = {},
  ) {
    super(
      details.detail ?? ERROR_CATALOGUE[code].title,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.detail = details.detail;
    this.field = details.field;
    this.retryAfter = details.retryAfter ?? (ERROR_CATALOGUE[code].retryable ? 1 : undefined);
  }

  get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }
}

/** Narrows by code: `isCurfewError(error, 'ERR_NOT_FOUND')`. */
export function isCurfewError<C extends ErrorCode>(error: unknown, code?: C): error is CurfewError<C> {
  return error instanceof CurfewError && (code === undefined || error.code === code);
}
