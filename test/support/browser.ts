import { request, type IncomingHttpHeaders } from 'node:http';

export interface PageAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a browser does with cookies and redirects, as far as these tests need it. A real one is driven elsewhere. */
export class CookieJar {
  private readonly cookies = new Map<string, { value: string; path: string }>();

  constructor(private readonly origin: string) {}

  /** One request, no redirect followed. `abort` cuts the connection as soon as the request is sent. */
  send(
    method: string,
    path: string,
    {
      headers = {},
      body,
      abort = false,
    }: { headers?: Record<string, string>; body?: string; abort?: boolean } = {},
  ): Promise<PageAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.origin + path,
        { method, headers: { cookie: this.header(path), origin: this.origin, ...headers }, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('error', reject);
          response.on('end', () => {
            this.store(response.headers['set-cookie'] ?? []);
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
          });
        },
      );
      outgoing.on('error', (error) =>
        abort ? resolve({ status: 0, headers: {}, body: '' }) : reject(error),
      );
      outgoing.end(body, () => {
        if (abort) setTimeout(() => outgoing.destroy(), 3);
      });
    });
  }

  /** A top-level navigation with its redirects. With `abortAt`, the n-th request is cut off before its answer is read. */
  async navigate(path: string, { abortAt }: { abortAt?: number } = {}): Promise<PageAnswer> {
    let next = path;
    for (let hop = 0; hop < 6; hop += 1) {
      const answer = await this.send('GET', next, {
        headers: {
          accept: 'text/html',
          'sec-fetch-site': 'none',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
        },
        abort: hop === abortAt,
      });
      if (answer.status < 300 || answer.status >= 400) return answer;
      next = new URL(answer.headers.location ?? '/', this.origin + next).href.slice(this.origin.length);
    }
    throw new Error('too many redirects');
  }

  value(name: string): string | undefined {
    return this.cookies.get(name)?.value;
  }
  names(): string[] {
    return [...this.cookies.keys()];
  }
  /** A second browser with the same cookies: what a thief of the cookie file has. */
  copy(): CookieJar {
    const other = new CookieJar(this.origin);
    for (const [name, cookie] of this.cookies) other.cookies.set(name, cookie);
    return other;
  }

  private header(path: string): string {
    const sent = [...this.cookies].filter(([, cookie]) => path.startsWith(cookie.path));
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }
  private store(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
      const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute)) || value === '';
      if (gone) this.cookies.delete(name);
      else this.cookies.set(name, { value, path });
    }
  }
}
