import { CurfewError, isCurfewError, type ErrorCode } from '#contracts';

/** Errors of Fastify (404, body) and of Nest carry an HTTP status; theirs is the caller's fault from 400 to 499. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'ERR_UNAUTHENTICATED',
  403: 'ERR_FORBIDDEN',
  404: 'ERR_NOT_FOUND',
  405: 'ERR_NOT_FOUND',
  413: 'ERR_PAYLOAD_TOO_LARGE',
  415: 'ERR_UNSUPPORTED_MEDIA_TYPE',
};

const BODY_ERRORS = new Set(['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'ECONNRESET']);

function statusOf(error: object): number | undefined {
  const own = error as { getStatus?: () => number; statusCode?: unknown; status?: unknown };
  const status = typeof own.getStatus === 'function' ? own.getStatus() : (own.statusCode ?? own.status);
  return typeof status === 'number' ? status : undefined;
}

/** Every error as one of the catalogue: what is not the caller's fault by its own word is a defect of ours. */
export function toCurfewError(error: unknown): CurfewError {
  if (isCurfewError(error)) return error;
  if (typeof error === 'object' && error !== null) {
    const status = statusOf(error);
    if (status !== undefined && status >= 400 && status < 500) {
      const ownCode = (error as { code?: unknown }).code;
      const fallback = BODY_ERRORS.has(String(ownCode)) ? 'ERR_MALFORMED_BODY' : 'ERR_VALIDATION';
      return new CurfewError(CODE_OF_STATUS[status] ?? fallback, { cause: error });
    }
  }
  return new CurfewError('ERR_INTERNAL', { cause: error });
}
