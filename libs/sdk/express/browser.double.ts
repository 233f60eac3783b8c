import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly setCookies: readonly string[];
  readonly body: string;
  /** Path and query of the last request, after redirects. */
  readonly url: string;
  /** `METHOD url status` of each request on the way. */
  readonly trail: readonly string[];
}

interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly host: string;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * As much of a browser as cookie mode can see: it keeps cookies by name and path, enforces the name prefixes, sends Fetch Metadata
 * and follows redirects. Its connection stands for TLS (the servers under test run with `trustProxyTls`).
 */
export class BrowserDouble {
  cookies: StoredCookie[] = [];
  /** Cookies of later answers are thrown away while true. */
  keepsNoCookies = false;
  maxRedirects = 20;

  constructor(private readonly port: number) {}

  /** A link or the address bar (`none`), from anywhere. */
  navigate(url: string, site = 'none', sent: Sent = {}): Promise<Answered> {
    const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': site };
    return this.follow(url, { ...sent, headers: { accept: 'text/html', ...headers, ...sent.headers } });
  }

  /** A form on a page of the application. */
  submit(url: string, body: string): Promise<Answered> {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const origin = { origin: `https://127.0.0.1:${this.port}` };
    return this.navigate(url, 'same-origin', { method: 'POST', body, headers: { ...type, ...origin } });
  }

  /** `fetch` of a page of the application. */
  fetch(url: string, sent: Sent = {}): Promise<Answered> {
    const headers = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' };
    return this.follow(url, { ...sent, headers: { accept: '*/*', ...headers, ...sent.headers } });
  }

  /** One request as it is, with the cookies that belong to it, its answer's cookies kept. */
  async send(url: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answered> {
    const cookie = this.cookieHeader(url.split('?', 1)[0] ?? '');
    const all = { ...(cookie === '' ? {} : { cookie }), ...headers };
    const answered = await rawRequest(this.port, url, {
      method,
      headers: all,
      ...(body === undefined ? {} : { body }),
    });
    if (!this.keepsNoCookies) answered.setCookies.forEach((header) => this.keep(header));
    return answered;
  }

  value(name: string): string | undefined {
    return this.cookies.find((cookie) => cookie.name === name && cookie.host === 'app')?.value;
  }

  /** What a page of a sibling host can do: a cookie for the parent domain, sent first. */
  plant(name: string, value: string, path: string): void {
    if (name.startsWith('__Host-')) return;
    this.cookies.unshift({ name, value, path, host: 'sibling' });
  }

  private async follow(url: string, sent: Sent): Promise<Answered> {
    const trail: string[] = [];
    let [at, next] = [url, sent];
    for (;;) {
      const answered = await this.send(at, next);
      trail.push(`${next.method ?? 'GET'} ${at} ${answered.status}`);
      const { location } = answered.headers;
      if (
        ![303, 307].includes(answered.status) ||
        location === undefined ||
        trail.length > this.maxRedirects
      ) {
        return { ...answered, trail };
      }
      if (answered.status === 303 && next.method !== 'HEAD') next = { ...next, method: 'GET', body: '' };
      const target = new URL(location, `https://127.0.0.1:${this.port}${at}`);
      at = target.pathname + target.search;
    }
  }

  private cookieHeader(path: string): string {
    const sent = this.cookies.filter(
      (cookie) => cookie.path === '/' || path === cookie.path || path.startsWith(`${cookie.path}/`),
    );
    return sent.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  private keep(header: string): void {
    const [pair = '', ...attributes] = header.split('; ');
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const path = attributes.find((attribute) => attribute.startsWith('Path='))?.slice(5) ?? '/';
    const secure = attributes.includes('Secure');
    if (name.startsWith('__') && !secure) return;
    if (name.startsWith('__Host-') && (path !== '/' || header.includes('Domain='))) return;
    this.cookies = this.cookies.filter(
      (cookie) => cookie.name !== name || cookie.path !== path || cookie.host !== 'app',
    );
    if (!attributes.includes('Max-Age=0')) this.cookies.push({ name, value, path, host: 'app' });
  }
}

export function rawRequest(
  port: number,
  url: string,
  { method = 'GET', headers = {}, body }: Sent,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = {
      host: '127.0.0.1',
      port,
      path: url,
      method,
      headers: { ...headers, ...length },
      agent: false as const,
    };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers: answer } = response;
        const text = Buffer.concat(chunks).toString();
        resolve({
          status,
          headers: answer,
          setCookies: answer['set-cookie'] ?? [],
          body: text,
          url,
          trail: [],
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
