import type { IncomingHttpHeaders } from 'node:http';

// What this app uses of Fastify's objects. Fastify is the adapter's dependency, not ours, so its types are not imported.

export interface HttpRequest {
  readonly headers: IncomingHttpHeaders;
  readonly params: unknown;
}

export interface HttpReply {
  readonly sent: boolean;
  readonly raw: { readonly headersSent: boolean };
  status(code: number): this;
  header(name: string, value: string): this;
  headers(values: Readonly<Record<string, string>>): this;
  send(payload: unknown): this;
}

export interface BodyParsers {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: 'buffer' },
    parse: (request: unknown, body: Buffer, done: (error: Error | null, body?: unknown) => void) => void,
  ): void;
}
