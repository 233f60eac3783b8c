import type { ErrorCode } from '#contracts';
import { CurfewSdkError } from '../core/error.js';
import type { ServiceClient, ServiceProblem, ServiceRequest } from './service-client.js';
import type { Receipt, RevokedSession, RevokeOptions, SessionsClient } from './sessions-client.types.js';

const TIMEOUT_MS = 5000;
/** As the service has it. */
const RECEIPT_TIMEOUT_MS = 10_000;

/** Without the members that are undefined: a header or a parameter would say so. */
const given = (values: object): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** An RFC 9457 answer as an error. What has no code of ours comes from a proxy. */
function problem({ status, body, retryAfter }: ServiceProblem): CurfewSdkError {
  const { code, title, detail, field } = (body ?? {}) as Record<string, unknown>;
  return new CurfewSdkError(
    (textOf(code) as ErrorCode | undefined) ?? (status < 500 ? 'ERR_VALIDATION' : 'ERR_UNAVAILABLE'),
    status,
    textOf(title) ?? `HTTP status ${status}`,
    { retryAfter, detail: textOf(detail), field: textOf(field) },
  );
}

/** An id as one segment of a path. `.` and `..` cannot be written as one: URLs drop them, and the call would be another. */
function segment(field: string, id: string): string {
  if (typeof id === 'string' && !['', '.', '..'].includes(id)) return `/${encodeURIComponent(id)}`;
  throw new CurfewSdkError('ERR_VALIDATION', 400, 'The request is not valid', { field });
}

const sessionPath = (sid: string): string => `/v1/sessions${segment('sid', sid)}`;
const userPath = (sub: string): string => `/v1/users${segment('sub', sub)}/sessions`;

function query(values: object): string {
  const text = String(new URLSearchParams(given(values)));
  return text && `?${text}`;
}

/** The REST door's session calls. Queries ask for what this client wrote last, so that they show it (G8). */
export function sessionsClient(service: ServiceClient): SessionsClient {
  let written = '';
  const call = async <T>(
    method: NonNullable<ServiceRequest['method']>,
    path: string,
    body?: object,
    idempotencyKey?: string,
  ): Promise<T> => {
    const headers = given({
      authorization: service.authorization,
      'content-type': body && 'application/json',
      'curfew-at-least': method === 'GET' && written ? written : undefined,
      'idempotency-key': idempotencyKey,
    });
    const content = body && JSON.stringify(body);
    const request = { method, path, body: content, headers, timeoutMs: TIMEOUT_MS, problem };
    const answer = (await service.call(request)).body as T;
    // Answers may come in another order than the writes. Positions compare as text.
    const position = (answer as { readonly position?: string } | undefined)?.position ?? '';
    if (position > written) written = position;
    return answer;
  };
  const end = (path: string, { tenant, ...cause }: RevokeOptions): Promise<RevokedSession> =>
    call('DELETE', path + query({ tenant }), Object.keys(cause).length > 0 ? cause : undefined);
  // Each is async, so that a bad id rejects and does not throw.
  return {
    create: async (input, { idempotencyKey } = {}) => call('POST', '/v1/sessions', input, idempotencyKey),
    refresh: async (refreshToken, { idempotencyKey, device } = {}) =>
      call('POST', '/v1/sessions/refresh', { refreshToken, device }, idempotencyKey),
    get: async (sid, options = {}) => call('GET', sessionPath(sid) + query(options)),
    listByUser: async (sub, options = {}) => call('GET', userPath(sub) + query(options)),
    revoke: async (sid, options = {}) => end(sessionPath(sid), options),
    revokeOfUser: async (sub, sid, options = {}) => end(userPath(sub) + segment('sid', sid), options),
    receipt: async (id, { tenant, wait, timeoutMs = RECEIPT_TIMEOUT_MS } = {}) => {
      const waiting = wait ? { wait: 'all', timeout: timeoutMs } : {};
      const path = `/v1/revocations${segment('revocationId', id)}${query({ tenant, ...waiting })}`;
      const within = TIMEOUT_MS + (wait ? timeoutMs : 0);
      return (await service.call({ method: 'GET', path, timeoutMs: within, problem })).body as Receipt;
    },
    revokeAll: async (revocation, { idempotencyKey } = {}) =>
      call('POST', '/v1/revocations', revocation, idempotencyKey),
  };
}
