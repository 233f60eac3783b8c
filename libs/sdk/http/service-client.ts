import type { ErrorCode } from '#contracts';
import { CurfewSdkError, unavailable } from '../core/error.js';

export interface ServiceRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, with its leading slash and its query. */
  readonly path: string;
  /** A form, or what is sent as JSON. */
  readonly body?: URLSearchParams | object | undefined;
  /** By lower-case name; undefined sends none: `authorization` leaves the API key out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

export interface ServiceAnswer {
  readonly body: unknown;
  readonly headers: Headers;
}

/** Without the members that are undefined: a header or a parameter would say so. */
export const given = (values: object): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** An RFC 9457 answer as an error. What has no code of ours comes from a proxy. */
function problem(status: number, body: unknown, headers: Headers): CurfewSdkError {
  const { code, title, detail, field } = (body ?? {}) as Record<string, unknown>;
  const after = Number(headers.get('retry-after') ?? NaN);
  return new CurfewSdkError(
    (textOf(code) as ErrorCode | undefined) ?? (status < 500 ? 'ERR_VALIDATION' : 'ERR_UNAVAILABLE'),
    status,
    textOf(title) ?? `HTTP status ${status}`,
    {
      retryAfter: after >= 0 ? after : undefined,
      detail: textOf(detail),
      field: textOf(field),
    },
  );
}

export interface ServiceClient {
  /** @throws CurfewSdkError with the service's code, or ERR_UNAVAILABLE when it did not answer in time or not as itself. */
  call(request: ServiceRequest): Promise<ServiceAnswer>;
  /** Ends the calls under way, and every later one. */
  close(): void;
}

/** Calls the REST door: one attempt, one deadline over head and body, no redirects (they would carry the API key away). */
export function serviceClient(base: string, apiKey: string, fetcher: typeof fetch): ServiceClient {
  const root = base.replace(/\/+$/, '');
  const running = new Set<AbortController>();
  let closed = false;

  const initOf = ({ method, body, headers }: ServiceRequest): RequestInit => {
    const isForm = body === undefined || body instanceof URLSearchParams;
    return {
      method,
      headers: given({
        authorization: `Bearer ${apiKey}`,
        'content-type': isForm ? undefined : 'application/json',
        ...headers,
      }),
      body: isForm ? body : JSON.stringify(body),
    } as RequestInit;
  };

  const exchange = async (request: ServiceRequest): Promise<[response: Response, text: string]> => {
    if (closed) throw unavailable('closed');
    // A timer and not AbortSignal.any with AbortSignal.timeout: that leaks in Node 20.
    const controller = new AbortController();
    const { signal } = controller;
    let failure = 'no connection';
    const timer = setTimeout(() => {
      failure = `no answer in ${request.timeoutMs} ms`;
      controller.abort();
    }, request.timeoutMs);
    running.add(controller);
    try {
      const response = await fetcher(root + request.path, { ...initOf(request), redirect: 'error', signal });
      return [response, await response.text()];
    } catch (cause) {
      throw unavailable(failure, cause);
    } finally {
      clearTimeout(timer);
      running.delete(controller);
    }
  };

  return {
    call: async (request) => {
      const [{ ok, status, headers }, text] = await exchange(request);
      let body: unknown;
      try {
        body = text === '' ? undefined : JSON.parse(text);
      } catch (cause) {
        if (ok) throw unavailable('not JSON', cause);
      }
      if (!ok) throw problem(status, body, headers);
      return { body, headers };
    },
    close: () => {
      closed = true;
      for (const controller of running) controller.abort();
    },
  };
}
