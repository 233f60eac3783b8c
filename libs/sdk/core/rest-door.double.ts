export interface RestCall {
  readonly url: string;
  readonly init: RequestInit;
}

export const json = (body: unknown, init: ResponseInit = {}): Response =>
  new Response(JSON.stringify(body), init);

/** The REST door as `fetch`: what it answers is set by the spec, what was asked is kept. */
export class RestDoorDouble {
  readonly calls: RestCall[] = [];
  jwks: () => Response | Promise<Response>;
  introspect: (token: string) => Response | Promise<Response> = () =>
    json({ active: false }, { headers: { 'curfew-barrier-age': '0' } });
  other: (call: RestCall) => Response | Promise<Response> = () => new Response('', { status: 404 });

  constructor(...keys: readonly Record<string, unknown>[]) {
    this.jwks = () => json({ keys });
  }

  callsTo(path: string): RestCall[] {
    return this.calls.filter(({ url }) => new URL(url).pathname === path);
  }

  readonly fetch = ((url: string, init: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      this.calls.push({ url, init });
      init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      void Promise.resolve(this.#answer(url, init)).then(resolve, reject);
    })) as typeof fetch;

  #answer(url: string, init: RequestInit): Response | Promise<Response> {
    if (url.endsWith('/.well-known/jwks.json')) return this.jwks();
    if (url.endsWith('/v1/introspect'))
      return this.introspect((init.body as URLSearchParams).get('token') ?? '');
    return this.other({ url, init });
  }
}
