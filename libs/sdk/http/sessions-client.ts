import { CurfewSdkError } from '../core/error.js';
import type { ServiceClient, ServiceRequest } from './service-client.js';
import type { RevokeOptions, SessionsClient } from './sessions-client.types.js';

const TIMEOUT_MS = 5000;

/** An id as one segment of a path. `.` and `..` cannot be written as one: URLs drop them, and the call would be another. */
function segment(field: string, id: string): string {
  if (typeof id === 'string' && !['', '.', '..'].includes(id)) return `/${encodeURIComponent(id)}`;
  throw new CurfewSdkError('ERR_VALIDATION', 400, 'The request is not valid', { field });
}

const sessionPath = (sid: string): string => `/v1/sessions${segment('sid', sid)}`;
const userPath = (sub: string): string => `/v1/users${segment('sub', sub)}/sessions`;

function query(values: object): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) given.set(name, String(value));
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}

/** The REST door's session calls. */
export function sessionsClient(service: ServiceClient): SessionsClient {
  const call = async <T>(
    method: ServiceRequest['method'],
    path: string,
    json?: object,
    idempotencyKey?: string,
  ): Promise<T> =>
    (await service.call({ method, path, json, idempotencyKey, timeoutMs: TIMEOUT_MS })).body as T;
  const end = <T>(path: string, { tenant, ...cause }: RevokeOptions): Promise<T> =>
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
  };
}
