import { unavailable } from '../core/error.js';

export interface ServiceRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, with its leading slash and its query. */
  readonly path: string;
  /** A form, or what is sent as JSON. */
  readonly body?: URLSearchParams | object | undefined;
  /** By lower-case name; undefined sends none: `authorization` leaves the API key out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** What an answer that is no success becomes; ERR_UNAVAILABLE with its status if absent. */
  readonly problem?: (answer: ServiceProblem) => Error;
}

export interface ServiceProblem {
  readonly status: number;
  /** undefined if it is not JSON: it comes from a proxy. */
  readonly body: unknown;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

export interface ServiceAnswer {
  readonly body: unknown;
  readonly headers: Headers;
}

/** Without the members that are undefined: a header or a parameter would say so. */
export const given = (values: object): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const unexpected = ({ status, retryAfter }: ServiceProblem): Error =>
  unavailable(`HTTP status ${status}`, undefined, retryAfter);

export interface ServiceClient {
  /** @throws CurfewSdkError ERR_UNAVAILABLE when it did not answer in time or not as itself; what `problem` made. */
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
      const retryAfter = Number(headers.get('retry-after') ?? NaN);
      if (!ok) {
        const { problem = unexpected } = request;
        throw problem({ status, body, retryAfter: retryAfter >= 0 ? retryAfter : undefined });
      }
      return { body, headers };
    },
    close: () => {
      closed = true;
      for (const controller of running) controller.abort();
    },
  };
}
