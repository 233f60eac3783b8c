/** What a REST call answered. */
export interface RestAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined when the body is empty. The shape is the test's claim, not checked. */
  readonly body: T;
}

export interface RestClient {
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<RestAnswer<T>>;
}

/** Calls the REST door as a service would. A string body is sent as it is. */
export function restClient(baseUrl: string, apiKey: string | undefined): RestClient {
  return {
    async call<T>(
      method: string,
      path: string,
      body?: unknown,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<RestAnswer<T>> {
      const response = await fetch(baseUrl + path, {
        method,
        headers: {
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? undefined : JSON.parse(text)) as T,
      };
    },
  };
}
