import { unavailable } from '../core/error.js';

const TIMEOUT_MS = 2000;

export interface ServiceRequest {
  /** GET if absent. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Below the base URL, with its leading slash and its query. */
  readonly path: string;
  readonly body?: URLSearchParams | string | undefined;
  /** The API key's alone if absent. */
  readonly headers?: Readonly<Record<string, string>>;
  /** 2,000 if absent. */
  readonly timeoutMs?: number;
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

const unexpected = ({ status, retryAfter }: ServiceProblem): Error =>
  unavailable(`HTTP status ${status}`, undefined, retryAfter);

export interface ServiceClient {
  /** What carries the API key. */
  readonly authorization: string;
  /** @throws CurfewSdkError ERR_UNAVAILABLE when it did not answer in time or not as itself; what `problem` made. */
  call(request: ServiceRequest): Promise<ServiceAnswer>;
  /** Ends the calls under way, and every later one. */
  close(): void;
}

/** Calls the REST door: one attempt, one deadline over head and body, no redirects (they would carry the API key away). */
export function serviceClient(base: string, apiKey: string, fetcher: typeof fetch): ServiceClient {
  const root = base.replace(/\/+$/, '');
  const authorization = `Bearer ${apiKey}`;
  const running = new Set<AbortController>();
  let closed = false;

  return {
    authorization,
    call: async ({ path, timeoutMs = TIMEOUT_MS, problem = unexpected, ...init }) => {
      if (closed) throw unavailable('closed');
      // A timer and not AbortSignal.any with AbortSignal.timeout: that leaks in Node 20.
      const controller = new AbortController();
      let failure = 'no connection';
      const timer = setTimeout(() => {
        failure = `no answer in ${timeoutMs} ms`;
        controller.abort();
      }, timeoutMs);
      running.add(controller);
      let response: Response;
      let text: string;
      try {
        const request = { headers: { authorization }, ...init } as RequestInit;
        response = await fetcher(root + path, { ...request, redirect: 'error', signal: controller.signal });
        text = await response.text();
      } catch (cause) {
        throw unavailable(failure, cause);
      } finally {
        clearTimeout(timer);
        running.delete(controller);
      }
      const { ok, status, headers } = response;
      let body: unknown;
      try {
        body = text && JSON.parse(text);
      } catch (cause) {
        if (ok) throw unavailable('not JSON', cause);
      }
      if (ok) return { body, headers };
      const after = Number(headers.get('retry-after') ?? NaN);
      throw problem({ status, body, retryAfter: after >= 0 ? after : undefined });
    },
    close: () => {
      closed = true;
      for (const controller of running) controller.abort();
    },
  };
}
